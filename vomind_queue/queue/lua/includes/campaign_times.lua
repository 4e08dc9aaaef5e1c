-- When campaigns begin and end.
--- @include "clock"
--- @include "due"
--- @include "notify"
--- @include "parts"
--- @include "told"
--- @include "turns"
--- @include "unlogged"

-- Arranges that a campaign begins and ends when it says.
local function set_times(campaign)
    local state, starts, ends = unpack(redis.call('HMGET', K.campaign .. campaign, 'state', 'startat', 'endat'))
    if state == 'scheduled' then
        redis.call('ZADD', K.campaign_times, starts or now_ms(), 'start:' .. campaign)
    else
        redis.call('ZREM', K.campaign_times, 'start:' .. campaign)
    end
    if ends and state ~= 'draft' then
        redis.call('ZADD', K.campaign_times, ends, 'end:' .. campaign)
    else
        redis.call('ZREM', K.campaign_times, 'end:' .. campaign)
    end
    -- A worker that sleeps learns of the time.
    notify()
end

-- Lets the calls of a campaign start.
local function run_campaign(campaign)
    local key = K.campaign .. campaign
    local before = redis.call('HGET', key, 'state')
    redis.call('HSET', key, 'state', 'running')
    note_unlogged(campaign)
    local is_first = redis.call('HSETNX', key, 'started', now_ms()) == 1
    if before ~= 'running' then
        note_campaign(campaign, is_first and 'started' or 'resumed')
    end
    enter_turns(campaign)
    if redis.call('HEXISTS', key, 'n:total') == 1 then
        judge_end(campaign, key)
    end
end

-- Runs a campaign now, or from its beginning on.
local function run_in_time(campaign)
    local starts = redis.call('HGET', K.campaign .. campaign, 'startat')
    if starts and tonumber(starts) > now_ms() then
        redis.call('HSET', K.campaign .. campaign, 'state', 'scheduled')
    else
        run_campaign(campaign)
    end
    set_times(campaign)
end

-- Takes a campaign out of those that may place calls; what is left of it is swept.
local function stop_campaign(campaign, state)
    redis.call('HSET', K.campaign .. campaign, 'state', state, 'ended', now_ms())
    redis.call('ZREM', K.open_campaigns, campaign)
    redis.call('ZREM', K.campaign_times, 'start:' .. campaign, 'end:' .. campaign)
    leave_turns(campaign)
    note_campaign(campaign, state)
    note_unlogged(campaign)
    set_due(K.sweeping, campaign, now_ms(), now_ms())
end

-- Begins and ends the campaigns whose time has come, some at a time.
local function follow_times(now)
    for _, mem in ipairs(redis.call('ZRANGEBYSCORE', K.campaign_times, '-inf', now, 'LIMIT', 0, 10)) do
        redis.call('ZREM', K.campaign_times, mem)
        local what, campaign = string.match(mem, '^(%a+):(%d+)$')
        local state = redis.call('HGET', K.campaign .. campaign, 'state')
        if what == 'start' and state == 'scheduled' then
            run_campaign(campaign)
        elseif what == 'end' and (state == 'scheduled' or state == 'running' or state == 'paused') then
            redis.call('HSET', K.campaign .. campaign, 'timeup', 1)
            stop_campaign(campaign, 'finished')
        elseif what == 'end' and state == 'finished' then
            -- A call that is retried would open it again, and never start.
            redis.call('HSET', K.campaign .. campaign, 'timeup', 1)
        end
    end
end

-- Gives turns to campaigns that were at their pace.
local function wake_resting(now)
    for _, campaign in ipairs(redis.call('ZRANGEBYSCORE', K.resting, '-inf', now, 'LIMIT', 0, 100)) do
        redis.call('ZREM', K.resting, campaign)
        enter_turns(campaign)
    end
end
