-- Whose turn it is: within a priority, campaigns and the calls of none share by weight.
--
-- Each priority has a sorted set of the campaigns whose calls may be claimed, by virtual time. The one
-- with the least is served next, and moves on by 1 / weight. The calls of none count as one more, with
-- weight 1, whose time is in `shares`. One that had nothing to serve enters at the present virtual time
-- (start-time fair queueing, https://doi.org/10.1145/248157.248171), and so has saved up nothing.
--- @include "clock"
--- @include "notify"
--- @include "waiting"
--- @include "window"

-- As it is stored; the share of the greatest weight is a thousandth.
local function as_turn(time)
    return string.format('%.6f', time)
end

-- The present virtual time of a priority.
local function present_turn(rank)
    return tonumber(redis.call('HGET', K.shares, 'now:' .. rank) or 0)
end

-- How many calls of a campaign may start in which time, ms; nil without a pace. `pace`: from its record.
local function pace_of(pace)
    local max, window = string.match(pace or '', '^(%d+):(%d+)$')
    return tonumber(max), tonumber(window)
end

-- Whether another call of a campaign may start: it is below its pace and its most at a time. One that is
-- at its pace rests until it is not.
local function has_room(campaign)
    local found = redis.call('HMGET', K.campaign .. campaign, 'most', 'pace', 'n:active', 'n:on-line')
    if found[1] and tonumber(found[3] or 0) + tonumber(found[4] or 0) >= tonumber(found[1]) then
        return false
    end
    local max, window = pace_of(found[2])
    if not max then
        return true
    end
    local used, reset = window_use(now_ms(), max, window, K.campaign_starts .. campaign)
    if used >= max then
        redis.call('ZADD', K.resting, now_ms() + reset, campaign)
    end
    return used < max
end

-- Gives a campaign its turn, if it runs and has calls there.
local function enter_turn(campaign, rank)
    local key = K.campaign .. campaign
    local state, own = unpack(redis.call('HMGET', key, 'state', 'turn:' .. rank))
    if state ~= 'running' or redis.call('EXISTS', waiting_set(rank, campaign)) == 0 then
        return
    end
    if redis.call('ZSCORE', K.turns .. rank, campaign) or not has_room(campaign) then
        return
    end
    local turn = math.max(tonumber(own or 0), present_turn(rank))
    redis.call('ZADD', K.turns .. rank, as_turn(turn), campaign)
    notify()
end

local function leave_turn(campaign, rank, turn)
    redis.call('ZREM', K.turns .. rank, campaign)
    redis.call('HSET', K.campaign .. campaign, 'turn:' .. rank, turn)
end

-- Takes its turn from a campaign of which no calls wait there any more.
local function leave_if_empty(campaign, rank)
    local turn = redis.call('ZSCORE', K.turns .. rank, campaign)
    if turn and redis.call('EXISTS', waiting_set(rank, campaign)) == 0 then
        leave_turn(campaign, rank, turn)
    end
end

-- From now on none of its calls is claimed.
local function leave_turns(campaign)
    for rank = 1, 3 do
        local turn = redis.call('ZSCORE', K.turns .. rank, campaign)
        if turn then
            leave_turn(campaign, rank, turn)
        end
    end
end

local function enter_turns(campaign)
    for rank = 1, 3 do
        enter_turn(campaign, rank)
    end
end

-- Whose turn it is: the campaign, or false for the calls of none, and its virtual time; nil where none
-- has calls that may be claimed.
local function next_turn(rank)
    local first = redis.call('ZRANGE', K.turns .. rank, 0, 0, 'WITHSCORES')
    if redis.call('EXISTS', K.waiting .. rank) == 0 then
        return first[1], tonumber(first[2])
    end
    local own = tonumber(redis.call('HGET', K.shares, 'none:' .. rank) or 0)
    local turn = math.max(own, present_turn(rank))
    if not first[1] or turn <= tonumber(first[2]) then
        return false, turn
    end
    return first[1], tonumber(first[2])
end

-- Moves on the one that was served, whose call is counted by now.
local function advance(campaign, rank, turn)
    redis.call('HSET', K.shares, 'now:' .. rank, as_turn(turn))
    if not campaign then
        redis.call('HSET', K.shares, 'none:' .. rank, as_turn(turn + 1))
        return
    end
    local weight = tonumber(redis.call('HGET', K.campaign .. campaign, 'weight') or 1)
    local after = as_turn(turn + 1 / weight)
    redis.call('ZADD', K.turns .. rank, after, campaign)
    if not has_room(campaign) then
        leave_turns(campaign)
    elseif redis.call('EXISTS', waiting_set(rank, campaign)) == 0 then
        leave_turn(campaign, rank, after)
    end
end
