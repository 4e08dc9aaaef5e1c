-- Removes a campaign without calls, or one that has ended. The calls of that one stay where they are.
--
-- KEYS[1]  campaigns
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- Returns  {ok | missing | late, now}, {wrong_state, now, state}
-- Touches  campaign:<id>, campaign_calls:<id>, campaigns, open_campaigns, sweeping,
--          campaign_starts:<id>, outbox
--- @include "clock"
--- @include "unlogged"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local state, total, at = unpack(redis.call('HMGET', K.campaign .. ARGV[2], 'state', 'n:total', 'at'))
if not state then
    return { C.missing, now }
end
local ended = (state == 'finished' or state == 'cancelled') and not redis.call('ZSCORE', K.sweeping, ARGV[2])
if not ended and (state ~= 'draft' or total) then
    return { C.wrong_state, now, state }
end
redis.call('DEL', K.campaign .. ARGV[2], K.campaign_calls .. ARGV[2], K.campaign_starts .. ARGV[2])
redis.call('ZREM', K.open_campaigns, ARGV[2])
redis.call('ZREM', K.campaigns, ARGV[2])
redis.call('ZREM', K.outbox_campaigns, ARGV[2])
note_unlogged(ARGV[2] .. ':' .. at)
return { C.ok, now }
