-- What the calls of a campaign start beside: the limit, the calls of none and other campaigns that run.
-- Writes nothing.
--
-- KEYS[1]  campaigns
-- ARGV[1]  id of the campaign
-- ARGV[2]  starts allowed in a window by the settings; 0 for no limit
-- ARGV[3]  length of the window, ms
-- ARGV[4]  starts of a window that are told at most
-- Returns  {now, starts allowed, length of the window, {start in unix ms, …}, {virtual time of each
--           priority}, {waiting calls of none by priority}, {their turns}, {id, weight, pace, most at a
--           time, placed now, {start, …}, {its turn in each priority}, {waiting calls by priority}, when
--           it begins or '', when it ends or ''} of the campaign, the same of others that run or will, …}
-- Touches  campaign:<id>, open_campaigns, campaign_starts:<id>, waiting:<rank>, window, rate, turns:<rank>, shares
--- @include "clock"
--- @include "rate"
--- @include "turns"
--- @include "waiting"
--- @include "window"

local now = now_ms()
local max, window = rate_in_force(ARGV[2], ARGV[3])

-- The starts within a window, the oldest first.
local function starts_in(key, most, length)
    local since = now - length - WINDOW_GUARD_MS
    local found = redis.call('ZREVRANGEBYSCORE', key, '+inf', '(' .. since, 'WITHSCORES', 'LIMIT', 0,
        math.min(most, tonumber(ARGV[4])))
    local times = {}
    for i = #found, 2, -2 do
        times[#times + 1] = found[i]
    end
    return times
end

local function waiting_of(campaign)
    local counts = {}
    for rank = 1, 3 do
        counts[rank] = redis.call('ZCARD', waiting_set(rank, campaign))
    end
    return counts
end

local function each_rank(found)
    local values = {}
    for rank = 1, 3 do
        values[rank] = found(rank) or '0'
    end
    return values
end

local function share_of(campaign, found)
    local most, length = pace_of(found[3])
    local starts = most and starts_in(K.campaign_starts .. campaign, most, length) or {}
    local placed = tonumber(found[5] or 0) + tonumber(found[6] or 0)
    local begins = found[1] == 'scheduled' and found[7] or ''
    local turns = each_rank(function(rank)
        return redis.call('ZSCORE', K.turns .. rank, campaign) or found[8 + rank]
    end)
    return { campaign, found[2] or '1', found[3] or '', found[4] or '', placed, starts, turns, waiting_of(campaign),
        begins, found[8] or '' }
end

local function read(campaign)
    return redis.call('HMGET', K.campaign .. campaign, 'state', 'weight', 'pace', 'most', 'n:active', 'n:on-line',
        'startat', 'endat', 'turn:1', 'turn:2', 'turn:3')
end

local function shared(what)
    return each_rank(function(rank)
        return redis.call('HGET', K.shares, what .. rank)
    end)
end

local answer = { now, max, window, max > 0 and starts_in(K.window, max, window) or {}, shared('now:'),
    waiting_of(false), shared('none:'), share_of(ARGV[1], read(ARGV[1])) }
for _, campaign in ipairs(open_campaigns()) do
    local found = read(campaign)
    if (found[1] == 'running' or found[1] == 'scheduled') and campaign ~= ARGV[1] then
        answer[#answer + 1] = share_of(campaign, found)
    end
end
return answer
