-- A job's record; nothing while it belongs to a bulk that is not there yet, or was cancelled with its
-- campaign. Writes nothing.
--
-- KEYS[1]  the record
-- ARGV[1]  job id
-- Returns  {field, value, …}
-- Touches  the record, staging, campaign:<id>, job:<id>
--- @include "campaign"
--- @include "staging"

if is_staged(ARGV[1]) or is_withdrawn(ARGV[1]) then
    return {}
end
return redis.call('HGETALL', KEYS[1])
