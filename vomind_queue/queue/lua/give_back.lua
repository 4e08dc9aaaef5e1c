-- Gives back a held call that its worker did not end.
--
-- A call that was not yet asked for at Twilio waits again in its old place; one
-- with a dial marker has an unknown outcome.
--
-- KEYS[1]  active
-- ARGV[1]  job id
-- ARGV[2]  lease token
-- Returns  {ok | lost, now}
-- Touches  job:<id>, waiting:<rank>, delayed, active, leases, expiring, reconciling, window,
--          totals, notify, due, outbox, campaign:<id>, campaigns, open_campaigns, turns:<rank>,
--          shares, resting, campaign_starts:<id>
--- @include "clock"
--- @include "due"
--- @include "held"
--- @include "job"
--- @include "log"
--- @include "memory"

local now = now_ms()
local job = redis.call('HMGET', job_key(ARGV[1]), 'state', 'lease', 'mark')
if job[1] ~= 'active' or job[2] ~= ARGV[2] then
    return { C.lost, now }
end
free_first()
local mem = member(ARGV[1])
if not job[3] then
    requeue(ARGV[1], now, false)
elseif not redis.call('ZSCORE', K.reconciling, mem) then
    redis.call('ZREM', K.leases, mem)
    set_due(K.reconciling, mem, now, now)
    log_event(ARGV[1], 'in_doubt')
end
return { C.ok, now }
