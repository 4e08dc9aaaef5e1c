-- When calls to a person started, and when conversations and refusals were, for the caps.
--
-- Many people share a hash: those whose numbers end alike, for each period of ten days. A field is
-- the rest of the number, its value holds the times, six bytes each, the oldest first. A hash
-- expires once its last time can count no more.

-- As in `rules/caps.py`: no window is longer, ms, and no cap allows more starts.
local LONGEST_WINDOW_MS, MOST_STARTS = 7776000000, 100
local LONGEST_MS = { [''] = 2592000000, c = LONGEST_WINDOW_MS, r = LONGEST_WINDOW_MS }
local PERIOD_MS = 864000000
-- Kinds of events; each has its own hashes.
local START, CONVERSATION, REFUSAL = '', 'c', 'r'

-- A mobile phone in Mexico or Argentina has two numbers, as in `calls/do_not_call.py`.
local function person_of(number)
    local code = string.sub(number, 1, 3)
    if code == '+52' then
        return (string.gsub(number, '^%+521(%d%d%d%d%d%d%d%d%d%d)$', '+52%1'))
    elseif code == '+54' then
        return (string.gsub(number, '^%+549(%d%d%d%d%d%d%d%d%d%d)$', '+54%1'))
    end
    return number
end

-- The hash of a period and the field in it.
local function place_of(person, kind, period)
    return K.starts .. kind .. period .. ':' .. string.sub(person, -3), string.sub(person, 1, -4)
end

-- The times within a window that ends now, the oldest first.
local function times_of(person, kind, now, window)
    local found = {}
    for period = math.floor((now - window) / PERIOD_MS), math.floor(now / PERIOD_MS) do
        local packed = redis.call('HGET', place_of(person, kind, period)) or ''
        for at = 1, #packed, 6 do
            local time = struct.unpack('>I6', packed, at)
            if time > now - window then
                found[#found + 1] = time
            end
        end
    end
    return found
end

-- All that caps may count, as `History` in `rules/caps.py`.
local function history_of(person, now)
    local found = {}
    for i, kind in ipairs({ START, CONVERSATION, REFUSAL }) do
        found[i] = times_of(person, kind, now, LONGEST_MS[kind])
    end
    return found
end

-- From when caps leave room for another start: `now`, or later. `caps`: kind of event, then
-- `most/window in ms`, the longest window first.
local function free_at(person, caps, now)
    local known, free = {}, now
    for kind, most, window in string.gmatch(caps, '(%l?)(%d+)/(%d+)') do
        window = tonumber(window)
        local times = known[kind] or times_of(person, kind, now, window)
        known[kind] = times
        local decisive = times[#times + 1 - tonumber(most)]
        if decisive then
            free = math.max(free, decisive + window)
        end
    end
    return free
end

-- `kept`: how many times of a period are enough to judge all caps.
local function note_time(person, kind, at, kept)
    local period = math.floor(at / PERIOD_MS)
    local key, field = place_of(person, kind, period)
    local time = struct.pack('>I6', at)
    if redis.call('HSETNX', key, field, time) == 1 then
        -- All people of a hash share its end.
        if redis.call('HLEN', key) == 1 then
            local last = (period + 1) * PERIOD_MS
            redis.call('PEXPIRE', key, string.format('%.0f', last - at + LONGEST_MS[kind]))
        end
        return
    end
    local packed = redis.call('HGET', key, field)
    local later = #packed + 1
    while later > 6 and struct.unpack('>I6', packed, later - 6) > at do
        later = later - 6
    end
    packed = string.sub(packed, 1, later - 1) .. time .. string.sub(packed, later)
    redis.call('HSET', key, field, string.sub(packed, -6 * kept))
end

-- It was not so after all; of a start: the phone has certainly not rung. Returns whether it was noted.
local function take_time_back(person, kind, at)
    local key, field = place_of(person, kind, math.floor(at / PERIOD_MS))
    local packed = redis.call('HGET', key, field) or ''
    for i = #packed - 5, 1, -6 do
        if struct.unpack('>I6', packed, i) == at then
            local left = string.sub(packed, 1, i - 1) .. string.sub(packed, i + 6)
            if left == '' then
                redis.call('HDEL', key, field)
            else
                redis.call('HSET', key, field, left)
            end
            return true
        end
    end
    return false
end

local function forget_times(person, kind, now)
    for period = math.floor((now - LONGEST_MS[kind]) / PERIOD_MS), math.floor(now / PERIOD_MS) do
        redis.call('HDEL', place_of(person, kind, period))
    end
end

local function forget_history(person, now)
    for kind in pairs(LONGEST_MS) do
        forget_times(person, kind, now)
    end
end
