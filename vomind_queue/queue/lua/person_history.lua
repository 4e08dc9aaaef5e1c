-- Says what happened to people lately, for the caps. Writes nothing.
--
-- KEYS[1]  active
-- ARGV     their numbers
-- Returns  {now, {{start in unix ms, …}, {conversation, …}, {refusal, …}}, …}, the oldest first
-- Touches  starts:<kind><period>:<digits>
--- @include "clock"
--- @include "starts"

local now = now_ms()
local answer = { now }
for i, number in ipairs(ARGV) do
    answer[i + 1] = history_of(person_of(number), now)
end
return answer
