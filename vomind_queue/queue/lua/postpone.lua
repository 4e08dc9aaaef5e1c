-- Delays the next check of a recurring call that is due; its tick stays.
--
-- KEYS[1]  schedules
-- ARGV[1]  number of the schedule
-- ARGV[2]  when, unix ms
-- Returns  1, or 0 where it is not due any more
-- Touches  redbeat:recurring:<id>, schedule:<id>, schedules
--- @include "schedule"

local key, old = record_of(ARGV[1])
local tick = key and not old and tick_of(key)
if not tick then
    return 0
end
redis.call('HSET', key, 'next', tick)
redis.call('ZADD', K.schedules, score_of(ARGV[2]), key)
return 1
