-- Takes a number off the do-not-call list.
--
-- KEYS[1]  do_not_call
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  the number
-- Returns  {ok | missing | late, now}
-- Touches  do_not_call, do_not_call:entries
--- @include "clock"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
redis.call('HDEL', K.do_not_call_entries, ARGV[2])
return { redis.call('ZREM', K.do_not_call, ARGV[2]) == 1 and C.ok or C.missing, now }
