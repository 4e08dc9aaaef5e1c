-- How long the phone of an attempt may ring. The record keeps it beside the dial marker, as `ring`, if
-- it differs from the usual time.

-- As in `ring_timeout.py`, ms.
local USUAL_RING_MS = 30000

-- By how much longer than usual it may ring, ms; `ring`: from the record, or false.
local function longer_ring_ms(ring)
    return math.max(tonumber(ring or USUAL_RING_MS) - USUAL_RING_MS, 0)
end

-- How long a call may ring by its `data`, otherwise by the settings, ms.
local function ring_of(data, default_ms)
    local own = string.find(data, 'ringTimeoutMs', 1, true) and cjson.decode(data)['ringTimeoutMs']
    return own or tonumber(default_ms)
end

-- Stores it with a marker. `before`: the value in the record, from an earlier attempt.
local function keep_ring(key, ring_ms, before)
    if ring_ms ~= USUAL_RING_MS then
        redis.call('HSET', key, 'ring', ring_ms)
    elseif before then
        redis.call('HDEL', key, 'ring')
    end
end
