-- Says what a call still waits for. Writes nothing.
--
-- KEYS[1]  active
-- ARGV[1]  job id
-- Returns  {now, state, calls dialed before it, when it is due or checked again or '',
--           whether it is being placed: 1 | 0, how often it waited for its number,
--           attempts that ended, why the last one failed or '', by when its unknown outcome is
--           reconciled or ''} or {now} for no such job
-- Touches  job:<id>, waiting:<rank>, delayed, reconciling, staging
--- @include "clock"
--- @include "job"
--- @include "state"

local id = ARGV[1]
local now = now_ms()
local state = state_of(id)
if not state then
    return { now }
end
local mem = member(id)
local job = redis.call('HMGET', job_key(id), 'priority', 'mark', 'busy', 'attempts', 'reason', 'horizon')
local ahead, at = 0, ''
if state == 'waiting' then
    for rank = 1, tonumber(job[1]) - 1 do
        ahead = ahead + redis.call('ZCARD', K.waiting .. rank)
    end
    ahead = ahead + (redis.call('ZRANK', K.waiting .. job[1], mem) or 0)
elseif state == 'delayed' then
    at = redis.call('ZSCORE', K.delayed, mem) or ''
elseif state == 'active' then
    at = redis.call('ZSCORE', K.reconciling, mem) or ''
end
return {
    now,
    state,
    ahead,
    at,
    job[2] and 1 or 0,
    tonumber(job[3] or 0),
    tonumber(job[4] or 0),
    job[5] or '',
    job[6] or '',
}
