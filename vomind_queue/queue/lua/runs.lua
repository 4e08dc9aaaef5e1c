-- One recurring call with its last occurrences, all of one moment. Writes nothing.
--
-- KEYS[1]  schedules
-- ARGV[1]  number of the schedule
-- ARGV[2]  occurrences wanted at most
-- Returns  {{field, value, …}, {instant, {field, value, …}, …}}; both empty for none
-- Touches  job:<id>, redbeat:recurring:<id>, schedule:<id>, schedules, runs:<id>
--- @include "occurrence"
--- @include "schedule"

local fields = record_fields(ARGV[1])
return { fields, #fields > 0 and last_runs(ARGV[1], tonumber(ARGV[2])) or {} }
