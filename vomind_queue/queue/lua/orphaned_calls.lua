-- Hands out calls at Twilio that belong to no attempt, to be ended there.
--
-- Each is delayed by a lease, so that a worker that dies leaves it to the next.
--
-- KEYS[1]  orphans
-- ARGV[1]  calls wanted at most
-- ARGV[2]  length of the lease, ms
-- Returns  {now, SID, …}
-- Touches  orphans
--- @include "clock"
--- @include "memory"

local now = now_ms()
local answer = { now }
free_first()
for _, sid in ipairs(redis.call('ZRANGEBYSCORE', K.orphans, '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))) do
    redis.call('ZADD', K.orphans, now + tonumber(ARGV[2]), sid)
    answer[#answer + 1] = sid
end
return answer
