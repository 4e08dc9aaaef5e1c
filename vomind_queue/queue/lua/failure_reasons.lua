-- Returns a slice of failed calls with the reasons, the last to fail first. Writes nothing.
--
-- KEYS[1]  failed
-- ARGV[1]  index of the first one wanted, from 0
-- ARGV[2]  index of the last one
-- Returns  {total, id, reason, …}
-- Touches  failed, job:<id>
--- @include "job"

local answer = { redis.call('ZCARD', KEYS[1]) }
for _, mem in ipairs(redis.call('ZREVRANGE', KEYS[1], ARGV[1], ARGV[2])) do
    answer[#answer + 1] = id_of(mem)
    answer[#answer + 1] = redis.call('HGET', job_key(id_of(mem)), 'reason') or ''
end
return answer
