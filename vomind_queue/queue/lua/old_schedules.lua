-- Returns recurring calls of the old form, for `adopt.lua`. Writes nothing.
--
-- KEYS[1]  old schedules
-- ARGV[1]  how many at most
-- Returns  {id, {field, value, …}, id, {…}, …}
-- Touches  old schedules, schedule:<id>
--- @include "job"

local answer = {}
for _, mem in ipairs(redis.call('ZRANGE', K.old_schedules, 0, ARGV[1] - 1)) do
    answer[#answer + 1] = id_of(mem)
    answer[#answer + 1] = redis.call('HGETALL', K.old_schedule .. id_of(mem))
end
return answer
