-- Notes what a person did; the newest is the first.
--
-- KEYS[1]  activity
-- ARGV[1]  what was done: JSON
-- ARGV[2]  entries kept at most
-- Returns  {number of the entry}
-- Touches  activity, activity:last
--- @include "clock"

local number = redis.call('INCR', K.activity_last)
redis.call('LPUSH', KEYS[1], string.format('%d %.0f %s', number, now_ms(), ARGV[1]))
redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[2]) - 1)
return { number }
