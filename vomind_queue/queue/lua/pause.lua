-- Stops the queue: from now on no call starts. A pause that stands is left as it is.
--
-- KEYS[1]  paused
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  by whom
-- ARGV[3]  why, or ''
-- Returns  {ok | late, now}
-- Touches  paused, outbox
--- @include "clock"
--- @include "events"
--- @include "memory"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
free_first()
if redis.call('EXISTS', K.paused) == 0 then
    redis.call('HSET', K.paused, 'by', ARGV[2], 'at', now, 'reason', ARGV[3])
    note_event('queue.paused', { by = ARGV[2], reason = ARGV[3] ~= '' and ARGV[3] or cjson.null })
end
return { C.ok, now }
