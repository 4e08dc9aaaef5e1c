-- The campaign that a call belongs to.
--- @include "job"

-- The state of a campaign, 'deleted' where there is none any more.
local function campaign_state(campaign)
    return redis.call('HGET', K.campaign .. campaign, 'state') or 'deleted'
end

-- Whether a campaign runs, and its end has not come.
local function is_running(campaign, now)
    local state, ends = unpack(redis.call('HMGET', K.campaign .. campaign, 'state', 'endat'))
    return state == 'running' and not (ends and tonumber(ends) <= now)
end

-- Whether calls of that campaign may still be placed at some time; `campaign` is false for those of none.
local function may_be_placed(campaign)
    if not campaign then
        return true
    end
    local state, is_up = unpack(redis.call('HMGET', K.campaign .. campaign, 'state', 'timeup'))
    return state and state ~= 'cancelled' and not is_up
end

-- Whether a call was cancelled with its campaign: it will not ring, and its record is about to go.
local function is_withdrawn(id)
    local state, campaign = unpack(redis.call('HMGET', job_key(id), 'state', 'c'))
    return campaign and (state == 'waiting' or state == 'delayed') and campaign_state(campaign) == 'cancelled'
end
