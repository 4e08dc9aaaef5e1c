-- Says when calls to a person started lately. Writes nothing.
--
-- KEYS[1]  active
-- ARGV[1]  number
-- Returns  {now, {start in unix ms, …}}, the oldest first
-- Touches  starts:<period>:<digits>
--- @include "clock"
--- @include "starts"

local now = now_ms()
return { now, starts_of(person_of(ARGV[1]), now, LONGEST_WINDOW_MS) }
