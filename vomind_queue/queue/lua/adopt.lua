-- Moves recurring calls of the old form over to RedBeat's, each whole in this one step.
--
-- Processes of the old version may still run. What was moved they find no more; what one of them
-- stores again afterwards, it stores under the same number, and it is a change of what is here.
--
-- KEYS[1]  schedules
-- ARGV[1…] for each: number, the revision that was read or '', RedBeat's definition
-- Returns  {now, how many are of the old form no more}
-- Touches  redbeat:recurring:<id>, schedules, schedule:<id>, old schedules, recurring_index
--- @include "clock"
--- @include "entry"
--- @include "index"
--- @include "job"
--- @include "memory"
--- @include "schedule"

local now = now_ms()
-- What a person sets.
local SET = { 'data', 'priority', 'cron', 'zone', 'start', 'end', 'maxruns', 'grace', 'overlap', 'updated' }

-- Changes an entry by what an old process stored for it since it was moved; its next tick.
local function merge(key, old)
    for _, field in ipairs(SET) do
        local value = redis.call('HGET', old, field)
        if value then
            redis.call('HSET', key, field, value)
        else
            redis.call('HDEL', key, field)
        end
    end
    local pause = redis.call('HMGET', old, 'pausedby', 'pausedat')
    if pause[1] then
        redis.call('HSET', key, 'pausedby', pause[1], 'pausedat', pause[2])
    end
    redis.call('HINCRBY', key, 'rev', 1)
    local done = tonumber(redis.call('HGET', key, 'done') or 0)
    local old_done = tonumber(redis.call('HGET', old, 'done') or 0)
    if old_done > done then
        -- What an old scheduler saw to of it; of earlier ticks it was seen to here.
        done = old_done
        redis.call('HSET', key, 'done', string.format('%.0f', done))
        for _, field in ipairs({ 'fired', 'missed', 'skipped' }) do
            redis.call('HINCRBY', key, field, redis.call('HGET', old, field) or 0)
        end
    end
    local tick = redis.call('HGET', old, 'next')
    if not tick or tonumber(tick) <= done then
        tick = tick_of(key)
    end
    local record = redis.call('HMGET', key, 'pausedby', 'maxruns', 'fired')
    local left = tonumber(record[2] or math.huge) - tonumber(record[3] or 0)
    return not record[1] and left > 0 and tick
end

local function adopt(id, revision, definition)
    local old, key, tick = K.old_schedule .. id, K.schedule .. id, nil
    if (redis.call('HGET', old, 'rev') or '') ~= revision then
        return 0
    end
    redis.call('ZREM', K.old_schedules, member(id))
    if redis.call('EXISTS', old) == 0 then
        return 1
    end
    if record_of(id) == key then
        unindex(id, redis.call('HGET', key, 'data'))
        tick = merge(key, old)
        redis.call('DEL', old)
    else
        tick = redis.call('HGET', old, 'next')
        redis.call('RENAME', old, key)
    end
    redis.call('HSET', key, 'definition', definition)
    index(id, redis.call('HGET', key, 'data'))
    set_enabled(key, redis.call('HEXISTS', key, 'pausedby') == 0)
    note_meta(key)
    set_next(id, key, false, tick)
    return 1
end

free_first()
local moved = 0
for i = 1, #ARGV, 3 do
    moved = moved + adopt(unpack(ARGV, i, i + 2))
end
return { now, moved }
