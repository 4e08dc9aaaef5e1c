-- The records of jobs, of one moment; an empty one where there is none. Writes nothing.
--
-- KEYS[1]  the first of them
-- ARGV[…]  job ids
-- Returns  {{field, value, …}, …}
-- Touches  job:<id>
--- @include "job"

local answer = {}
for i, id in ipairs(ARGV) do
    answer[i] = redis.call('HGETALL', job_key(id))
end
return answer
