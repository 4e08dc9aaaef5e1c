-- The campaign that a call belongs to.
--- @include "job"

-- The state of a campaign, 'deleted' where there is none any more.
local function campaign_state(campaign)
    return redis.call('HGET', K.campaign .. campaign, 'state') or 'deleted'
end

-- Whether calls of that campaign may still be placed at some time; `campaign` is false for those of none.
local function may_be_placed(campaign)
    if not campaign then
        return true
    end
    local state = campaign_state(campaign)
    return state ~= 'cancelled' and state ~= 'deleted'
end

-- Whether a call was cancelled with its campaign: it will not ring, and its record is about to go.
local function is_withdrawn(id)
    local state, campaign = unpack(redis.call('HMGET', job_key(id), 'state', 'c'))
    return campaign and (state == 'waiting' or state == 'delayed') and campaign_state(campaign) == 'cancelled'
end
