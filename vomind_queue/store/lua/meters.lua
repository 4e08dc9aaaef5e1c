-- What is measured of the queue beside its numbers. Writes nothing.
--
-- KEYS[1]  active
-- Returns  {now, {field, count, …}, ms that the first waiting call waits, ms that the first
--           delayed call is overdue, ms since a scheduler saw to everything or -1, whether one
--           leads: 1 | 0, ms that the first tick is overdue, ms since the oldest attempt in doubt
--           was taken, calls being followed on the line}; 0 ms where there is none
-- Touches  totals, waiting:<rank>, delayed, scheduler, schedules, settling, active, following,
--          job:<id>
--- @include "clock"
--- @include "job"

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
local scheduler = redis.call('HMGET', K.scheduler, 'until', 'seen')
local doubt = 0
for _, mem in ipairs(redis.call('ZRANGE', K.settling, 0, 99)) do
    local mark = redis.call('HGET', job_key(id_of(mem)), 'mark')
    doubt = math.max(doubt, mark and now - tonumber(mark) or 0)
end
return {
    now,
    redis.call('HGETALL', K.totals),
    waiting,
    since_head(K.delayed),
    scheduler[2] and now - tonumber(scheduler[2]) or -1,
    (scheduler[1] and tonumber(scheduler[1]) > now) and 1 or 0,
    since_head(K.schedules),
    doubt,
    redis.call('ZCARD', K.following),
}
