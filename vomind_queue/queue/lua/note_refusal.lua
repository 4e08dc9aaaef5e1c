-- Notes that a person does not want to be called for now, or withdraws that.
--
-- KEYS[1]  active
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  number
-- ARGV[3]  when it was, unix ms; '' for now, as is what lies a little ahead
-- ARGV[4]  '1' to withdraw all refusals of the person, else ''
-- ARGV[5]  how many are kept
-- Returns  {ok | late, now}, {missing, now}: none is known, {wrong_state, now}: it lies in
--          the future or too long ago
-- Touches  starts:<kind><period>:<digits>
--- @include "clock"
--- @include "memory"
--- @include "starts"

-- The clock of the one who tells may be so far ahead, ms.
local AHEAD_MS = 60000
local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local person = person_of(ARGV[2])
local known = times_of(person, REFUSAL, now, LONGEST_WINDOW_MS)
if ARGV[4] == '1' then
    forget_times(person, REFUSAL, now)
    return { #known > 0 and C.ok or C.missing, now }
end
local at = tonumber(ARGV[3]) or now
if at > now and at <= now + AHEAD_MS then
    at = now
end
if at > now or at <= now - LONGEST_WINDOW_MS then
    return { C.wrong_state, now }
end
free_first()
-- Safe to repeat.
take_time_back(person, REFUSAL, at)
note_time(person, REFUSAL, at, tonumber(ARGV[5]))
return { C.ok, now }
