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

-- Removes a call from those that a rule holds; returns whether it was among them.
local function stop_holding(key, mem)
    local by = redis.call('HGET', key, 'held')
    if by then
        redis.call('ZREM', K.held .. by, mem)
        redis.call('HDEL', key, 'held')
    end
    return by
end
