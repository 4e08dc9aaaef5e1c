-- The records of jobs, of one moment; an empty one where there is none. Writes nothing.
--
-- KEYS[1]  the first of them
-- ARGV[…]  job ids
-- Returns  {{field, value, …}, …}
-- Touches  job:<id>, campaign:<id>
--- @include "campaign"
--- @include "job"

local answer = {}
for i, id in ipairs(ARGV) do
    answer[i] = is_withdrawn(id) and {} or redis.call('HGETALL', job_key(id))
end
return answer
