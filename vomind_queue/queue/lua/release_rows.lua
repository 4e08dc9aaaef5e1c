-- Notes that rows of a list have not become calls: their campaign took none.
--
-- KEYS[1]  lists
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id of the list
-- ARGV[3]  id of the campaign
-- ARGV[4]  name of the idempotency key with which their calls were to be stored
-- ARGV[5…] digests of the rows
-- Returns  {ok | late, now}
-- Touches  list:<id>, list_rows:<campaign>
--- @include "clock"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local rows = K.list_rows .. ARGV[3]
for i, known in ipairs(redis.call('HMGET', rows, unpack(ARGV, 5))) do
    if known and string.match(known, ' (.*)$') == ARGV[4] then
        redis.call('HDEL', rows, ARGV[4 + i])
    end
end
redis.call('HDEL', K.staged_list .. ARGV[2], 'sending')
return { C.ok, now }
