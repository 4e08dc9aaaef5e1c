-- A recurring call's record and its place.
--
-- It is an entry of RedBeat's: a hash, and a member of the sorted set of all entries, scored by the
-- second at which it is due, or -1. Without either of them there is no such call. One that an older
-- version stored lies in separate keys until `adopt.lua` moves it.
--- @include "job"

-- Key of a recurring call's record, and whether it has the old form; nil where there is none.
local function record_of(id)
    local key = K.schedule .. id
    if redis.call('ZSCORE', K.schedules, key) and redis.call('EXISTS', key) == 1 then
        return key, false
    end
    key = K.old_schedule .. id
    if redis.call('EXISTS', key) == 1 then
        return key, true
    end
    return nil
end

-- Number of the recurring call that an entry of RedBeat's is; nil for ordinary tasks.
local function number_of_entry(key)
    if string.sub(key, 1, #K.schedule) == K.schedule then
        return string.match(key, '^%d+$', #K.schedule + 1)
    end
end

-- The next tick, unix ms as a text; false when there is none. `next` holds it in the old form, and
-- while the call is looked at again later than that.
local function tick_of(key, old)
    local tick = redis.call('HGET', key, 'next')
    if tick or old then
        return tick
    end
    local score = tonumber(redis.call('ZSCORE', K.schedules, key) or -1)
    return score >= 0 and string.format('%.0f', score * 1000)
end

-- When an entry is due, as RedBeat's score.
local function score_of(tick)
    return tick and tick ~= '' and string.format('%.3f', tick / 1000) or '-1'
end

-- Sets a schedule's next tick, or that it has none.
local function set_next(id, key, old, tick)
    if not old then
        redis.call('HDEL', key, 'next')
        redis.call('ZADD', K.schedules, score_of(tick), key)
    elseif tick and tick ~= '' then
        redis.call('HSET', key, 'next', tick)
        redis.call('ZADD', K.old_schedules, tick, member(id))
    else
        redis.call('HDEL', key, 'next')
        redis.call('ZADD', K.old_schedules, '+inf', member(id))
    end
end

-- Field and value in turn, its next tick among them; empty where there is no such call.
local function record_fields(id)
    local key, old = record_of(id)
    if not key then
        return {}
    end
    local fields, tick = redis.call('HGETALL', key), tick_of(key, old)
    if tick then
        fields[#fields + 1] = 'next'
        fields[#fields + 1] = tick
    end
    return fields
end
