-- Says what a call still waits for. Writes nothing.
--
-- KEYS[1]  active
-- ARGV[1]  job id
-- Returns  {now, state, calls dialed before it, when it is due or checked again or '',
--           whether it is being placed: 1 | 0, how often it waited for its number,
--           attempts that ended, why the last one failed or '', by when its unknown outcome is
--           reconciled or '', whose call its number is taken by or '', whether that one is on the
--           line: 1 | 0, the kind of rule that holds it or '', its campaign or '', the state of that or
--           '', the hours of that or ''} or {now} for no such job
-- Touches  job:<id>, waiting:<rank>, delayed, reconciling, staging, dialing, line, campaign:<id>,
--          open_campaigns
--- @include "campaign"
--- @include "clock"
--- @include "job"
--- @include "number"
--- @include "state"
--- @include "waiting"

local id = ARGV[1]
local now = now_ms()
local state = state_of(id)
if not state then
    return { now }
end
local mem = member(id)
local job = redis.call('HMGET', job_key(id), 'priority', 'mark', 'busy', 'attempts', 'reason', 'horizon',
    'data', 'held', 'c')
local ahead, at = 0, ''
local owner, on_the_line = false, false
if state == 'waiting' then
    for rank = 1, tonumber(job[1]) - 1 do
        ahead = ahead + waiting_count(rank)
    end
    ahead = ahead + (redis.call('ZRANK', waiting_set(job[1], job[9]), mem) or 0)
elseif state == 'delayed' then
    at = redis.call('ZSCORE', K.delayed, mem) or ''
    owner = job[3] and redis.call('HGET', K.dialing, number_of(job[7]))
    on_the_line = owner and redis.call('ZSCORE', K.line, member(owner))
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
    owner or '',
    on_the_line and 1 or 0,
    job[8] or '',
    job[9] or '',
    job[9] and campaign_state(job[9]) or '',
    job[9] and redis.call('HGET', K.campaign .. job[9], 'hours') or '',
}
