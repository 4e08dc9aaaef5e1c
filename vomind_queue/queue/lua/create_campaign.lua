-- Stores a new campaign as a draft.
--
-- KEYS[1]  counter of campaign ids
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  name of the idempotency key, or ''
-- ARGV[3]  fingerprint of the request, or ''
-- ARGV[4]  how long the request is remembered, ms
-- ARGV[5]  data (JSON)
-- ARGV[6…] fields of the record that are set by it, and their values; '' for absent
-- Returns  {ok | replay, now, id, 1, created ms}, {mismatch | late, now}
-- Touches  campaign:<id>, campaigns, open_campaigns, campaignid, request:<key>,
--          outbox
--- @include "campaign_fields"
--- @include "clock"
--- @include "request"
--- @include "unlogged"

local now = now_ms()
local answer = answered(ARGV[1], ARGV[2], ARGV[3], now)
if answer then
    return answer
end
local id = string.format('%d', redis.call('INCR', K.last_campaign))
redis.call('HSET', K.campaign .. id, 'data', ARGV[5], 'state', 'draft', 'at', now)
set_fields(K.campaign .. id, 6)
redis.call('ZADD', K.campaigns, id, id)
redis.call('ZADD', K.open_campaigns, id, id)
note_unlogged(id)
remember(ARGV[2], ARGV[3], ARGV[4], id, 1, now)
return { C.ok, now, id, 1, now }
