-- Removes a recurring call and its runs that did not start.
--
-- KEYS[1]  schedules
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  number of the schedule
-- Returns  {ok, now, id of a job, 'removed' or 'active', …} or {missing | late, now}
-- Touches  job:<id>, waiting:<rank>, delayed, held:<kind>, expiring, completed, failed,
--          redbeat:recurring:<id>, schedule:<id>, schedules, old schedules, identities,
--          recurring_index, runs:<id>, staging, totals, gone:<id>, outbox, line, dialing,
--          busy_until, campaign:<id>, campaigns, open_campaigns, turns:<rank>, shares, notify,
--          resting, campaign_starts:<id>, window
--- @include "clock"
--- @include "index"
--- @include "job"
--- @include "memory"
--- @include "occurrence"
--- @include "remove"
--- @include "schedule"
--- @include "state"
--- @include "told"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local id = ARGV[2]
local key = record_of(id)
local dedup_key = key and redis.call('HGET', key, 'identity')
if not dedup_key then
    return { C.missing, now }
end
free_first()
local answer = { C.ok, now }
for _, tick in ipairs(redis.call('LRANGE', K.runs .. id, 0, -1)) do
    local job = occurrence(id, tick)
    local state = state_of(job)
    if state == 'waiting' or state == 'delayed' then
        remove(job)
    end
    if state == 'waiting' or state == 'delayed' or state == 'active' then
        answer[#answer + 1] = job
        answer[#answer + 1] = state == 'active' and state or 'removed'
    end
end
if redis.call('HGET', K.dedup_keys, dedup_key) == id then
    redis.call('HDEL', K.dedup_keys, dedup_key)
end
unindex(id, redis.call('HGET', key, 'data'))
redis.call('ZREM', K.schedules, K.schedule .. id)
redis.call('ZREM', K.old_schedules, member(id))
redis.call('DEL', K.schedule .. id, K.old_schedule .. id, K.runs .. id)
note_recurring(id, 'removed')
return answer
