-- Campaigns that changed since the call log was told of them, as they are now.
--
-- KEYS[1]  outbox:campaigns
-- ARGV[1]  campaigns wanted at most; 0 only asks which run this is
-- Returns  {what tells this run of the server from others, '1' if its campaigns were compared with the
--          log, else '', version, id, changes, {field, value, …}, …}; for one that was deleted `id:created
--          ms` in the place of the id, and no fields
-- Touches  outbox, campaign:<id>
--- @include "clock"
--- @include "memory"
--- @include "server_run"

local run = server_run()
local is_compared = redis.call('GET', K.outbox_compared) == run
local wanted = tonumber(ARGV[1])
local found = wanted > 0 and redis.call('ZRANGE', KEYS[1], 0, wanted - 1, 'WITHSCORES') or {}
if #found == 0 then
    return { run, is_compared and '1' or '', '0' }
end
free_first()
-- It goes on from where it was even where this server has lost its data, or its clock was put back.
local last = tonumber(redis.call('GET', K.outbox_version) or 0)
local version = string.format('%.0f', math.max(last + 1, now_ms() * 1000))
redis.call('SET', K.outbox_version, version)
local answer = { run, is_compared and '1' or '', version }
for i = 1, #found, 2 do
    answer[#answer + 1] = found[i]
    answer[#answer + 1] = found[i + 1]
    answer[#answer + 1] = redis.call('HGETALL', K.campaign .. found[i])
end
return answer
