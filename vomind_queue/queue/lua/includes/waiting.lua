-- Where calls wait: those of none in a set for each priority, those of a campaign in sets of its.

-- `campaign`: its id, or false for a call of none.
local function waiting_set(rank, campaign)
    return campaign and K.waiting .. rank .. ':' .. campaign or K.waiting .. rank
end

-- Ids of the campaigns that may have calls in such sets.
local function open_campaigns()
    return redis.call('ZRANGE', K.open_campaigns, 0, -1)
end

-- The calls of one priority that wait, in whichever set.
local function waiting_count(rank)
    local count = redis.call('ZCARD', K.waiting .. rank)
    for _, campaign in ipairs(open_campaigns()) do
        count = count + redis.call('ZCARD', waiting_set(rank, campaign))
    end
    return count
end
