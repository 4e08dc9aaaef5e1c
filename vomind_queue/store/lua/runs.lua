-- One recurring call with its last occurrences, all of one moment. Writes nothing.
--
-- KEYS[1]  schedules
-- ARGV[1]  number of the schedule
-- ARGV[2]  occurrences wanted at most
-- Returns  {{field, value, …}, {instant, {field, value, …}, …}}; both empty for none
-- Touches  schedule:<id>, runs:<id>, job:<id>
--- @include "occurrence"
--- @include "schedule"

return { redis.call('HGETALL', schedule_key(ARGV[1])), last_runs(ARGV[1], tonumber(ARGV[2])) }
