-- Notes an event that is delivered to one subscription alone.
--
-- KEYS[1]  webhooks
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- Returns  {ok | missing | late, now}
-- Touches  webhooks, outbox
--- @include "clock"
--- @include "events"
--- @include "memory"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
if redis.call('HEXISTS', K.webhooks, ARGV[2]) == 0 then
    return { C.missing, now }
end
free_first()
note_event('webhook.test', { webhookId = ARGV[2] })
return { C.ok, now }
