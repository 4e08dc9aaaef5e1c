-- Campaigns that changed since the call log was told of them, as they are now.
--
-- KEYS[1]  outbox:campaigns
-- ARGV[1]  campaigns wanted at most
-- Returns  {} if there are none, else {version, id, changes, {field, value, …}, …}; in the place of the
--          id `id:created ms`, and no fields, for one that was deleted
-- Touches  outbox, campaign:<id>
--- @include "clock"
--- @include "memory"

free_first()
local found = redis.call('ZRANGE', KEYS[1], 0, ARGV[1] - 1, 'WITHSCORES')
if #found == 0 then
    return {}
end
-- It goes on from where it was even where this server has lost its data, or its clock was put back.
local last = tonumber(redis.call('GET', K.outbox_version) or 0)
local version = string.format('%.0f', math.max(last + 1, now_ms() * 1000))
redis.call('SET', K.outbox_version, version)
local answer = { version }
for i = 1, #found, 2 do
    answer[#answer + 1] = found[i]
    answer[#answer + 1] = found[i + 1]
    answer[#answer + 1] = redis.call('HGETALL', K.campaign .. found[i])
end
return answer
