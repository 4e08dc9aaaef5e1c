-- Hours in which a call may start, and calls that a rule holds until then.

-- Returns from when a call may start, given `start-end` pairs, the soonest first: `now` itself, a
-- later time, or nil where all of them are over.
local function opens_at(hours, now)
    for start, stop in string.gmatch(hours, '(%d+)%-(%d+)') do
        if now < tonumber(stop) then
            return math.max(tonumber(start), now)
        end
    end
    return nil
end

-- Takes a call out of those that a rule holds; whether it was one.
local function stop_holding(key, mem)
    local by = redis.call('HGET', key, 'held')
    if by then
        redis.call('ZREM', K.held .. by, mem)
        redis.call('HDEL', key, 'held')
    end
    return by
end
