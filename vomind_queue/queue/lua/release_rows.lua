-- Notes that rows of a list have not become calls: their campaign took none.
--
-- KEYS[1]  lists
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id of the campaign
-- ARGV[3]  name of the idempotency key with which their calls were to be stored
-- ARGV[4…] digests of the rows
-- Returns  {ok | late, now}
-- Touches  list_rows:<campaign>
--- @include "clock"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local rows = K.list_rows .. ARGV[2]
for i, known in ipairs(redis.call('HMGET', rows, unpack(ARGV, 4))) do
    if known and string.match(known, ' (.*)$') == ARGV[3] then
        redis.call('HDEL', rows, ARGV[3 + i])
    end
end
return { C.ok, now }
