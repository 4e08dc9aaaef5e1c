-- Campaigns that changed and of which the call log does not know yet.
--
-- The shipper reads their records, so a change costs one command. It counts the changes: what changes
-- while it is delivered stays.

local function note_unlogged(campaign)
    redis.call('ZINCRBY', K.outbox_campaigns, 1, campaign)
end
