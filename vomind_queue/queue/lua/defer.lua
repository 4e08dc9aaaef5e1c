-- Delays a held call, as a Celery retry does.
--
-- KEYS[1]  active
-- ARGV[1]  job id
-- ARGV[2]  lease token
-- ARGV[3]  due time, unix ms; 0 for at once
-- Returns  {ok | lost, now}; lost when the lease is not held any more or the dial marker is set
-- Touches  job:<id>, delayed, active, leases, expiring, reconciling, totals, notify, due, outbox,
--          campaign:<id>, campaigns, open_campaigns, turns:<rank>, shares, waiting:<rank>, resting,
--          campaign_starts:<id>, window
--- @include "clock"
--- @include "held"
--- @include "job"
--- @include "memory"

local now = now_ms()
local job = redis.call('HMGET', job_key(ARGV[1]), 'state', 'lease', 'mark', 'notbefore')
if job[1] ~= 'active' or job[2] ~= ARGV[2] or job[3] then
    return { C.lost, now }
end
free_first()
local due = math.max(tonumber(ARGV[3]), tonumber(job[4] or 0))
delay(ARGV[1], due, false)
return { C.ok, now }
