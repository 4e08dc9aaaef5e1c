-- The calls that a campaign was given.
--- @include "campaign"
--- @include "turns"
--- @include "unlogged"

-- Why a campaign takes no calls: its state; nil if it does. `campaign` may be ''.
local function refuses_calls(campaign)
    local state = campaign ~= '' and campaign_state(campaign)
    return (state == 'finished' or state == 'cancelled' or state == 'deleted') and state or nil
end

-- Counts the calls with ids from `first` on as the campaign's, and gives it its turn.
local function note_calls(campaign, first, waiting, delayed)
    local key = K.campaign .. campaign
    redis.call('RPUSH', K.campaign_calls .. campaign, string.format('%.0f:%d', first, waiting + delayed))
    redis.call('HINCRBY', key, 'n:total', waiting + delayed)
    redis.call('HINCRBY', key, 'n:waiting', waiting)
    redis.call('HINCRBY', key, 'n:delayed', delayed)
    note_unlogged(campaign)
    enter_turns(campaign)
end
