-- What webhooks are told of campaigns and recurring calls; the notifier adds what the API shows of them.
--- @include "events"

local function note_campaign(campaign, kind)
    note_event('campaign.' .. kind, { id = campaign })
end

local function note_recurring(id, kind)
    note_event('recurring.' .. kind, { id = id })
end
