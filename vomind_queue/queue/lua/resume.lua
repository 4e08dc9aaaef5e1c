-- Lets the queue go on.
--
-- KEYS[1]  paused
-- ARGV[1]  deadline, unix ms; 0 for none
-- Returns  {ok | late, now}
-- Touches  paused, notify
--- @include "clock"
--- @include "notify"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
redis.call('DEL', K.paused)
notify()
return { C.ok, now }
