-- Notes that somebody reads the live stream.
--
-- KEYS[1]  events:wanted
-- ARGV[1]  for how long events are noted without a further reader, ms
-- Returns  {sequence number of the last event}
-- Touches  outbox, webhooks
--- @include "clock"
--- @include "events"
--- @include "memory"

free_first()
begin_events(now_ms())
if redis.call('EXISTS', K.webhooks) == 0 then
    redis.call('SET', K.events_wanted, 1, 'PX', ARGV[1])
end
return { redis.call('GET', K.events_last) }
