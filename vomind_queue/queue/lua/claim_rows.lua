-- Notes that rows of a list are about to become calls of its campaign: of no other list they do from now on.
--
-- KEYS[1]  lists
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id of the list
-- ARGV[3]  for how long it is kept, ms
-- ARGV[4]  id of the campaign
-- ARGV[5]  for how long the campaign remembers them, ms
-- ARGV[6]  name of the idempotency key with which their calls are stored
-- ARGV[7]  '1' where they may have been accepted before, else ''
-- ARGV[8]  what is noted of them (JSON)
-- ARGV[9…] digests of the rows
-- Returns  {ok | missing | mismatch | late, now}; `mismatch`: some were accepted meanwhile
-- Touches  lists, list:<id>, list_jobs:<id>, list_file:<id>, list_pages:<id>,
--          list_rows:<campaign>
--- @include "clock"
--- @include "lists"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local list, rows = K.staged_list .. ARGV[2], K.list_rows .. ARGV[4]
if redis.call('EXISTS', list) == 0 then
    return { C.missing, now }
end
if ARGV[7] == '' then
    local claim = string.format('%.0f %s', now, ARGV[6])
    local flat = {}
    for i, known in ipairs(redis.call('HMGET', rows, unpack(ARGV, 9))) do
        if known and string.match(known, ' (.*)$') ~= ARGV[6] then
            return { C.mismatch, now }
        end
        flat[#flat + 1] = ARGV[8 + i]
        flat[#flat + 1] = claim
    end
    redis.call('HSET', rows, unpack(flat))
    redis.call('PEXPIRE', rows, ARGV[5])
end
renew_list(ARGV[2], ARGV[3], now)
redis.call('HSET', list, 'sending', ARGV[8])
return { C.ok, now }
