-- Lets the queue go on.
--
-- KEYS[1]  paused
-- ARGV[1]  deadline, unix ms; 0 for none
-- Returns  {ok | late, now}
-- Touches  paused, notify, outbox
--- @include "clock"
--- @include "events"
--- @include "notify"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
if redis.call('DEL', K.paused) == 1 then
    note_event('queue.resumed', {})
end
notify()
return { C.ok, now }
