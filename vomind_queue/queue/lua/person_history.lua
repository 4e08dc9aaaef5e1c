-- Says what happened to a person lately, for the caps. Writes nothing.
--
-- KEYS[1]  active
-- ARGV[1]  number
-- Returns  {now, {start in unix ms, …}, {conversation, …}, {refusal, …}}, the oldest first
-- Touches  starts:<kind><period>:<digits>
--- @include "clock"
--- @include "starts"

local now = now_ms()
return { now, unpack(history_of(person_of(ARGV[1]), now)) }
