-- Measures the queue. Writes nothing.
--
-- KEYS[1]  active
-- Returns  {now, {field, count, …}, ms that the first waiting call waits, ms that the first
--           delayed call is overdue, ms since a scheduler handled everything or -1, whether one
--           is active: 1 | 0, ms that the first tick is overdue, ms since the oldest attempt with
--           an unknown outcome was started, calls being polled, numbers on the do-not-call list,
--           {state of campaigns that have not ended, how many, …}}; 0 ms where there is none
-- Touches  job:<id>, waiting:<rank>, delayed, reconciling, status_polls, schedules, old schedules,
--          scheduler, redbeat::lock, do_not_call, totals, campaign:<id>, open_campaigns
--- @include "clock"
--- @include "job"
--- @include "waiting"

local now = now_ms()

-- How long ago the first of a sorted set was due, ms.
local function since_head(key)
    local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
    return head and math.max(now - tonumber(head), 0) or 0
end

local waiting = 0
for rank = 1, 3 do
    waiting = math.max(waiting, since_head(K.waiting .. rank))
end
-- The first tick that is due, ordinary tasks of RedBeat's left out as far as can be.
local function overdue()
    local due = redis.call('ZRANGEBYSCORE', K.schedules, 0, now / 1000, 'WITHSCORES', 'LIMIT', 0, 100)
    for i = 1, #due, 2 do
        if string.sub(due[i], 1, #K.schedule) == K.schedule then
            return math.floor(now - tonumber(due[i + 1]) * 1000)
        end
    end
    return since_head(K.old_schedules)
end

-- Campaigns that have not ended, by state.
local function campaigns()
    local counts, flat = {}, {}
    for _, id in ipairs(open_campaigns()) do
        local state = redis.call('HGET', K.campaign .. id, 'state')
        if state then
            counts[state] = (counts[state] or 0) + 1
        end
    end
    for state, count in pairs(counts) do
        flat[#flat + 1] = state
        flat[#flat + 1] = count
    end
    return flat
end

local seen = redis.call('HGET', K.scheduler, 'seen')
local unresolved = 0
for _, mem in ipairs(redis.call('ZRANGE', K.reconciling, 0, 99)) do
    local mark = redis.call('HGET', job_key(id_of(mem)), 'mark')
    unresolved = math.max(unresolved, mark and now - tonumber(mark) or 0)
end
return {
    now,
    redis.call('HGETALL', K.totals),
    waiting,
    since_head(K.delayed),
    seen and now - tonumber(seen) or -1,
    redis.call('EXISTS', K.scheduler_lock),
    overdue(),
    unresolved,
    redis.call('ZCARD', K.status_polls),
    redis.call('ZCOUNT', K.do_not_call, 1, '+inf'),
    campaigns(),
}
