-- A page of recurring calls, soonest first, all of one moment. Writes nothing.
--
-- KEYS[1]  schedules
-- ARGV[1]  index of the first one wanted, from 0
-- ARGV[2]  index of the last one
-- Returns  {total, id, {field, value, …}, {instant, {field, value, …}} or {}, id, …}: record and
--          last occurrence
-- Touches  schedules, schedule:<id>, runs:<id>, job:<id>
--- @include "job"
--- @include "occurrence"
--- @include "schedule"

local answer = { redis.call('ZCARD', K.schedules) }
for _, mem in ipairs(redis.call('ZRANGE', K.schedules, ARGV[1], ARGV[2])) do
    local id = id_of(mem)
    answer[#answer + 1] = id
    answer[#answer + 1] = redis.call('HGETALL', schedule_key(id))
    answer[#answer + 1] = last_runs(id, 1)
end
return answer
