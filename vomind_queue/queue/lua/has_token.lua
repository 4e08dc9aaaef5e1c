-- Says whether an attempt at a call, the last one or one before it, has a token. Writes nothing.
--
-- An attempt at a call that was removed or forgotten has it still: should it ring, it is ended.
--
-- KEYS[1]  active
-- ARGV[1]  job id
-- ARGV[2]  attempt token
-- Returns  {1 | 0}
-- Touches  job:<id>, revoked
--- @include "job"

local job = redis.call('HMGET', job_key(ARGV[1]), 'attempt', 'past')
if job[1] == ARGV[2] then
    return { 1 }
end
for line in string.gmatch(job[2] or '', '[^\n]+') do
    if cjson.decode(line)['token'] == ARGV[2] then
        return { 1 }
    end
end
return { redis.call('ZSCORE', K.revoked, ARGV[2]) and 1 or 0 }
