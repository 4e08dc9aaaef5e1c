-- Removes a subscription.
--
-- KEYS[1]  webhooks
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  for how long events are noted after the last subscription, ms
-- Returns  {ok | missing | late, now}
-- Touches  webhooks, webhooks:epochs, webhooks:leases, webhook:<id>, outbox
--- @include "clock"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local id, state = ARGV[2], K.webhook .. ARGV[2]
if redis.call('HDEL', K.webhooks, id) == 0 then
    return { C.missing, now }
end
redis.call('HDEL', K.webhook_epochs, id)
redis.call('HDEL', K.webhook_leases, id)
if redis.call('EXISTS', K.webhooks) == 0 then
    -- A live stream goes on for as long as without any subscription.
    redis.call('PEXPIRE', K.events_wanted, ARGV[3])
end
redis.call('DEL', state, state .. ':retries', state .. ':deliveries')
return { C.ok, now }
