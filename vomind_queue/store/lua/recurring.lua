-- Stands above the scripts for recurring calls, below `prelude.lua`.

local function schedule_key(id)
    return K.schedule .. id
end

local function occurrence(id, tick)
    return string.format('recurring:%s:%s', id, tick)
end

-- Sets a schedule's next tick, or that it has none.
local function set_next(id, tick)
    if tick and tick ~= '' then
        redis.call('HSET', schedule_key(id), 'next', tick)
        redis.call('ZADD', K.schedules, tick, member(id))
    else
        redis.call('HDEL', schedule_key(id), 'next')
        redis.call('ZADD', K.schedules, '+inf', member(id))
    end
end

-- Whether an occurrence has not ended.
local function is_open(id, tick)
    local state = state_of(occurrence(id, tick))
    return state and state ~= 'completed' and state ~= 'failed'
end

-- Puts times, newest first, in front of those that a field keeps; ten stay.
local function remember_times(key, field, times)
    local kept = {}
    for time in string.gmatch(times .. ' ' .. (redis.call('HGET', key, field) or ''), '%d+') do
        if #kept < 10 then
            kept[#kept + 1] = time
        end
    end
    redis.call('HSET', key, field, table.concat(kept, ' '))
end

-- The last occurrences, newest first: instant and record of the job in turn.
local function last_runs(id, count)
    local found = {}
    for _, tick in ipairs(redis.call('LRANGE', K.runs .. id, 0, count - 1)) do
        found[#found + 1] = tick
        found[#found + 1] = redis.call('HGETALL', job_key(occurrence(id, tick)))
    end
    return found
end
