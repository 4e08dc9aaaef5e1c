-- A job's record; nothing while it belongs to a bulk that is not there yet. Writes nothing.
--
-- KEYS[1]  the record
-- ARGV[1]  job id
-- Returns  {field, value, …}
-- Touches  the record, staging
--- @include "staging"

if is_staged(ARGV[1]) then
    return {}
end
return redis.call('HGETALL', KEYS[1])
