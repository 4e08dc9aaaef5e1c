-- Calls that are delayed, the soonest first: what they share the queue with once they are due. Writes nothing.
--
-- KEYS[1]  delayed
-- ARGV[1]  place of the first one   ARGV[2] and of the last
-- Returns  {when it is due in unix ms, its campaign or '', priority, …}
-- Touches  job:<id>, delayed
--- @include "job"

local answer = {}
local found = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'WITHSCORES')
for i = 1, #found, 2 do
    local job = redis.call('HMGET', job_key(id_of(found[i])), 'c', 'priority')
    answer[#answer + 1] = found[i + 1]
    answer[#answer + 1] = job[1] or ''
    answer[#answer + 1] = job[2] or ''
end
return answer
