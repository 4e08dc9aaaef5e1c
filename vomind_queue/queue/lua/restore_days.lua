-- Brings closed days from the call log back.
--
-- KEYS[1]  closed_days
-- ARGV[1]  the next version, fresh
-- ARGV[2…] for each: the day and its entry
-- Returns  {now, how many were missing}
-- Touches  closed_days
--- @include "clock"
--- @include "memory"

free_first()
local missing = 0
for i = 2, #ARGV, 2 do
    missing = missing + redis.call('HSETNX', K.closed_days, ARGV[i], ARGV[i + 1])
end
if missing > 0 then
    redis.call('HSET', K.closed_days, 'version', ARGV[1])
end
return { now_ms(), missing }
