-- A recurring call's record and its place.
--- @include "job"

local function schedule_key(id)
    return K.schedule .. id
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
