local K = { nothing = '{calls}:nothing', schedule = '{calls}:schedule:', schedules = '{calls}:schedules', scheduler = '{calls}:scheduler' }
local C = {  }
local OUTBOX_MAX = 100000
if redis.replicate_commands then
    redis.replicate_commands()
end
local script_now = nil
local function now_ms()
    if not script_now then
        local time = redis.call('TIME')
        script_now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    end
    return script_now
end

local freed = false

local function free_first()
    if not freed then
        redis.call('DEL', K.nothing)
        freed = true
    end
end

local function member(id)
    return string.char(96 + math.min(#id, 26)) .. id
end

local function id_of(mem)
    return string.sub(mem, 2)
end

local function schedule_key(id)
    return K.schedule .. id
end

local function set_next(id, tick)
    if tick and tick ~= '' then
        redis.call('HSET', schedule_key(id), 'next', tick)
        redis.call('ZADD', K.schedules, tick, member(id))
    else
        redis.call('HDEL', schedule_key(id), 'next')
        redis.call('ZADD', K.schedules, '+inf', member(id))
    end
end
local function run()
-- Makes a scheduler the leader, or leaves it so, and hands it the schedules that are due.
--
-- KEYS[1]  schedules
-- ARGV[1]  name of the scheduler, unlike any other process's
-- ARGV[2]  how long it leads after this, ms; 0 steps down
-- ARGV[3]  schedules wanted at most
-- Returns  {now, 0, ms until the leader's time is over} where another one leads, else
--          {now, 1, ms to the next tick or -1, id, {field, value, …}, id, {…}, …}
-- Touches  scheduler, schedules, schedule:<id>
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

end
local answer = run()
return answer
