-- Hours in which a call may start, and the calls that a rule holds until then.

-- Returns when a call may start, given `start-end` pairs, the soonest first: `now` itself, a later
-- time, or nil if all of them are over.
local function opens_at(hours, now)
    for start, stop in string.gmatch(hours, '(%d+)%-(%d+)') do
        if now < tonumber(stop) then
            return math.max(tonumber(start), now)
        end
    end
    return nil
end

-- Removes a call from those that a rule holds; returns whether one holds it still. An older
-- process, which knows no rules, may have moved it meanwhile.
local function stop_holding(key, mem)
    local by = redis.call('HGET', key, 'held')
    if not by then
        return false
    end
    local held_until = redis.call('ZSCORE', K.held .. by, mem)
    redis.call('ZREM', K.held .. by, mem)
    redis.call('HDEL', key, 'held')
    return held_until and held_until == redis.call('ZSCORE', K.delayed, mem)
end
