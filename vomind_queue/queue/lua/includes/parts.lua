-- How many calls of a campaign are where. Each is in one part, and the parts sum to its total.
--
-- `log.lua` counts at the end of each script the calls of which it has noted something, which are those
-- that changed. The record says, as `part`, where it was counted last; without, it waits.
--- @include "clock"
--- @include "line"
--- @include "told"
--- @include "turns"
--- @include "unlogged"

-- The part that a call is in, by fields of its record.
local function part_of(state, rank, status, by, reason)
    if state == 'failed' then
        local kind = string.match(reason or '', '^(Expired):') or string.match(reason or '', '^(Do%-not%-call):')
        return kind and string.lower(kind) or 'failed'
    end
    if state ~= 'completed' then
        return state
    end
    if tonumber(rank or 0) < LINE_ENDED then
        return 'on-line'
    end
    if status == 'completed' then
        return by and (string.find(by, '^machine') or by == 'fax') and 'machine' or 'answered'
    end
    local parts = { busy = 'busy', ['no-answer'] = 'no-answer', failed = 'unreachable', canceled = 'hung-up' }
    return parts[status] or 'unknown'
end

-- Whether more is to come of a call in that part.
local function is_open_part(part)
    return part == 'waiting' or part == 'delayed' or part == 'active' or part == 'on-line'
end

-- Ends a campaign that runs once nothing more is to come of it; opens it again for a call that is tried again.
local function judge_end(campaign, key)
    local found = redis.call('HMGET', key, 'state', 'open', 'n:waiting', 'n:delayed', 'n:active', 'n:on-line',
        'timeup')
    local left = 0
    for i = 3, 6 do
        left = left + tonumber(found[i] or 0)
    end
    if found[1] == 'running' and found[2] ~= '1' and left == 0 then
        redis.call('HSET', key, 'state', 'finished', 'ended', now_ms())
        redis.call('ZREM', K.open_campaigns, campaign)
        leave_turns(campaign)
        note_campaign(campaign, 'finished')
    elseif found[1] == 'finished' and left > 0 and not found[7] then
        redis.call('HSET', key, 'state', 'running')
        redis.call('HDEL', key, 'ended')
        redis.call('ZADD', K.open_campaigns, campaign, campaign)
        note_campaign(campaign, 'resumed')
    end
end

-- Where a call is counted whose record goes: one that was not over is not heard of any more.
local function last_part(part)
    if part == 'waiting' or part == 'delayed' then
        return 'cancelled'
    end
    return is_open_part(part) and 'unknown' or part
end

-- Counts a call where it is now. `goes`: its record is about to be removed.
local function count_call(key, goes)
    local job = redis.call('HMGET', key, 'c', 'part', 'state', 'rank', 'status', 'answered', 'reason', 'priority')
    local campaign = job[1]
    if not campaign or redis.call('EXISTS', K.campaign .. campaign) == 0 then
        return
    end
    local before, part = job[2] or 'waiting', part_of(unpack(job, 3, 7))
    if goes then
        part = last_part(part)
    end
    local campaign_key = K.campaign .. campaign
    if part ~= before then
        redis.call('HINCRBY', campaign_key, 'n:' .. before, -1)
        redis.call('HINCRBY', campaign_key, 'n:' .. part, 1)
        redis.call('HSET', key, 'part', part)
        note_unlogged(campaign)
        if is_open_part(part) ~= is_open_part(before) then
            judge_end(campaign, campaign_key)
        end
    end
    if part == 'waiting' then
        enter_turn(campaign, job[8])
    elseif before == 'waiting' then
        leave_if_empty(campaign, job[8])
    end
    local was_placed = before == 'active' or before == 'on-line'
    if was_placed and part ~= 'active' and part ~= 'on-line' and redis.call('HEXISTS', campaign_key, 'most') == 1 then
        -- Another one may be placed.
        enter_turns(campaign)
    elseif part == 'on-line' and not was_placed and not has_room(campaign) then
        -- It rings after all, and took the place of another one.
        leave_turns(campaign)
    end
end

local campaigns_exist = nil

-- Whether there are campaigns, so that calls may be theirs.
local function has_campaigns()
    if campaigns_exist == nil then
        campaigns_exist = redis.call('EXISTS', K.campaigns) == 1
    end
    return campaigns_exist
end
