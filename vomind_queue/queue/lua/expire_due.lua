-- Ends calls whose latest start has passed while they waited or were delayed.
--
-- `start_dialing` checks a call that a worker holds; if it is given back, it is checked here again.
--
-- KEYS[1]  expiring
-- ARGV[1]  calls looked at, at most
-- ARGV[2]  failed calls kept: age ms       ARGV[3] and number
-- Returns  {now, how many were looked at, id of one that was ended, …}
-- Touches  job:<id>, waiting:<rank>, delayed, held:<kind>, active, leases, reconciling, failed,
--          window, expiring, paused, line, staging, minute:<n>, totals, gone:<id>, outbox, dialing,
--          busy_until, campaign:<id>, campaigns, open_campaigns, turns:<rank>, shares, notify,
--          resting, campaign_starts:<id>
--- @include "clock"
--- @include "expire"
--- @include "expiry"
--- @include "job"
--- @include "memory"
--- @include "staging"

local now = now_ms()
-- How long a call of an uncommitted bulk waits to be checked again, ms.
local STAGED_MS = 1000
free_first()
local due = redis.call('ZRANGEBYSCORE', K.expiring, '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))
local answer = { now, #due }
for _, mem in ipairs(due) do
    local id = id_of(mem)
    local job = redis.call('HMGET', job_key(id), 'state', 'notafter')
    local is_open = job[1] == 'waiting' or job[1] == 'delayed'
    if is_open and is_staged(id) then
        redis.call('ZADD', K.expiring, now + STAGED_MS, mem)
    elseif is_open and is_expired(job[2], now) then
        expire(id, ARGV[2], ARGV[3])
        answer[#answer + 1] = id
    else
        -- A worker holds it, or it has ended or is gone.
        redis.call('ZREM', K.expiring, mem)
    end
end
return answer
