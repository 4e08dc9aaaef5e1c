-- Renews the leases of a worker that is alive.
--
-- KEYS[1]  leases
-- ARGV[1]  name of the worker
-- ARGV[2]  length of a lease, ms
-- ARGV[3…] job id, lease token, …
-- Returns  {now, id, …}: the jobs that are no longer the worker's
-- Touches  job:<id>, leases, workers
--- @include "clock"
--- @include "job"
--- @include "memory"

local now = now_ms()
free_first()
redis.call('ZADD', K.workers, now, ARGV[1])
-- Names of those that were there a day ago.
redis.call('ZREMRANGEBYSCORE', K.workers, '-inf', now - 86400000)
local answer = { now }
for i = 3, #ARGV, 2 do
    local mem = member(ARGV[i])
    local ends = redis.call('ZSCORE', K.leases, mem)
    if ends and tonumber(ends) > now and redis.call('HGET', job_key(ARGV[i]), 'lease') == ARGV[i + 1] then
        redis.call('ZADD', K.leases, now + tonumber(ARGV[2]), mem)
    else
        answer[#answer + 1] = ARGV[i]
    end
end
return answer
