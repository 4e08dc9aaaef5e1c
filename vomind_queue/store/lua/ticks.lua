-- Makes a scheduler the leader, or leaves it so, and hands it the schedules that are due.
--
-- KEYS[1]  schedules
-- ARGV[1]  name of the scheduler, unlike any other process's
-- ARGV[2]  how long it leads after this, ms; 0 steps down
-- ARGV[3]  schedules wanted at most
-- Returns  {now, 0, ms until the leader's time is over} where another one leads, else
--          {now, 1, ms to the next tick or -1, id, {field, value, …}, id, {…}, …}
-- Touches  scheduler, schedules, schedule:<id>
--- @include "clock"
--- @include "job"
--- @include "memory"
--- @include "schedule"

local now = now_ms()
local name, lead_ms = ARGV[1], tonumber(ARGV[2])
local leader = redis.call('HMGET', K.scheduler, 'by', 'until')
free_first()
if leader[1] and leader[1] ~= name and tonumber(leader[2]) > now then
    return { now, 0, tonumber(leader[2]) - now }
end
if lead_ms == 0 then
    redis.call('HSET', K.scheduler, 'until', now)
    return { now, 0, 0 }
end
redis.call('HSET', K.scheduler, 'by', name, 'until', now + lead_ms)

local answer = { now, 1, -1 }
-- The newest first: a call that is due now does not wait behind those of an outage.
local due = redis.call('ZREVRANGEBYSCORE', K.schedules, now, '-inf', 'LIMIT', 0, tonumber(ARGV[3]))
for _, mem in ipairs(due) do
    local id = id_of(mem)
    local tick = redis.call('HGET', schedule_key(id), 'next')
    if tick and tonumber(tick) <= now then
        answer[#answer + 1] = id
        answer[#answer + 1] = redis.call('HGETALL', schedule_key(id))
    elseif redis.call('EXISTS', schedule_key(id)) == 1 then
        -- The record is the truth; its place is put right.
        set_next(id, tick)
    else
        redis.call('ZREM', K.schedules, mem)
    end
end
if #answer == 3 then
    -- Only a scheduler that has seen to everything does its work.
    redis.call('HSET', K.scheduler, 'seen', now)
end
local head = redis.call('ZRANGEBYSCORE', K.schedules, '(' .. now, '(+inf', 'WITHSCORES', 'LIMIT', 0, 1)
if head[2] then
    answer[3] = tonumber(head[2]) - now
end
return answer
