-- Counts a request of one client, unless it has made too many.
--
-- KEYS[1]  the client's count, which ends with its window
-- ARGV[1]  requests allowed in a window
-- ARGV[2]  length of the window, ms
-- Returns  {0 | ms until the next request is allowed}
-- A server that is full must still cancel calls, and say how it is.
--- @include "memory"

free_first()
local count = redis.call('INCR', KEYS[1])
if count == 1 then
    redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
if count <= tonumber(ARGV[1]) then
    return { 0 }
end
return { math.max(redis.call('PTTL', KEYS[1]), 1) }
