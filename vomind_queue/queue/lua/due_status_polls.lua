-- Hands out placed calls that were silent for too long, to be polled at Twilio.
--
-- Each is delayed by a lease, so that a worker that dies leaves it to the next. The
-- pace holds over all workers.
--
-- KEYS[1]  status_polls
-- ARGV[1]  calls wanted at most
-- ARGV[2]  length of the lease, ms
-- ARGV[3]  least time between two answers that hand something out, ms
-- Returns  {now, id, attempt token, SID, polls so far, over: 1 | 0, …}
-- Touches  job:<id>, status_polls, pace
--- @include "clock"
--- @include "job"
--- @include "memory"

local FINAL = '9'
local now = now_ms()
local answer = { now }
local due = redis.call('ZRANGEBYSCORE', K.status_polls, '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))
free_first()
if #due == 0 or not redis.call('SET', K.pace, '1', 'NX', 'PX', ARGV[3]) then
    return answer
end
for _, mem in ipairs(due) do
    local id = id_of(mem)
    local job = redis.call('HMGET', job_key(id), 'attempt', 'sid', 'looked', 'rank', 'mark')
    if job[2] and not job[5] then
        redis.call('ZADD', K.status_polls, now + tonumber(ARGV[2]), mem)
        redis.call('HINCRBY', job_key(id), 'looked', 1)
        local at = #answer
        answer[at + 1] = id
        answer[at + 2] = job[1]
        answer[at + 3] = job[2]
        answer[at + 4] = job[3] or '0'
        answer[at + 5] = job[4] == FINAL and 1 or 0
    else
        -- The job is gone, or tried again by now.
        redis.call('ZREM', K.status_polls, mem)
    end
end
return answer
