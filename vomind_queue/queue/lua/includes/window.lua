-- The starts of the rolling window.

-- An entry leaves the window this much later than it must, so that two starts
-- further apart on Redis's clock than on the telephone's are still 10 in 60 s.
local WINDOW_GUARD_MS = 50

-- So many of the last starts are kept at least, whatever the rate is and even while there
-- is none: a change of the rate finds the starts that were made before it.
local STARTS_KEPT = 1000

-- Reserves a start of a campaign with a pace, or stamps it.
local function note_campaign_start(campaign, lease, now, window)
    local starts = K.campaign_starts .. campaign
    redis.call('ZADD', starts, now, lease)
    redis.call('ZREMRANGEBYSCORE', starts, '-inf', now - window - WINDOW_GUARD_MS)
    redis.call('PEXPIRE', starts, 2 * window)
end

-- Gives up the start that was reserved for a claimed call; `campaign` is false for one of none.
local function give_start_back(lease, campaign, now)
    redis.call('ZREM', K.window, lease)
    if campaign and redis.call('ZREM', K.campaign_starts .. campaign, lease) == 1 then
        -- Another call of it may start in its place.
        redis.call('ZADD', K.resting, 'XX', now, campaign)
    end
end

local function note_start(lease, now, max)
    redis.call('ZADD', K.window, now, lease)
    redis.call('ZREMRANGEBYRANK', K.window, 0, -1 - math.max(max, STARTS_KEPT))
end

-- Starts within the window that ends now, and until fewer than `max` are in it, ms. `starts`, optional:
-- the sorted set of a campaign's.
local function window_use(now, max, window, starts)
    starts = starts or K.window
    local since = now - window - WINDOW_GUARD_MS
    local used = redis.call('ZCOUNT', starts, '(' .. since, '+inf')
    if used < max then
        return used, 0
    end
    local entry = redis.call('ZREVRANGE', starts, max - 1, max - 1, 'WITHSCORES')
    return used, math.max(1, tonumber(entry[2]) + 1 - since)
end
