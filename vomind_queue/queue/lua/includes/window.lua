-- The starts of the rolling window.

-- An entry leaves the window this much later than it must, so that two starts
-- further apart on Redis's clock than on the telephone's are still 10 in 60 s.
local WINDOW_GUARD_MS = 50

-- So many of the last starts are kept at least, whatever the rate is and even while there
-- is none: a change of the rate finds the starts that were made before it.
local STARTS_KEPT = 1000

local function note_start(lease, now, max)
    redis.call('ZADD', K.window, now, lease)
    redis.call('ZREMRANGEBYRANK', K.window, 0, -1 - math.max(max, STARTS_KEPT))
end

-- Starts within the window that ends now, and until fewer than `max` are in it, ms.
local function window_use(now, max, window)
    local since = now - window - WINDOW_GUARD_MS
    local used = redis.call('ZCOUNT', K.window, '(' .. since, '+inf')
    if used < max then
        return used, 0
    end
    local entry = redis.call('ZREVRANGE', K.window, max - 1, max - 1, 'WITHSCORES')
    return used, math.max(1, tonumber(entry[2]) + 1 - since)
end
