-- Hands a scheduler the entries that are due.
--
-- KEYS[1]  schedules
-- ARGV[1]  recurring calls wanted at most
-- Returns  {now, ms until the next entry is due or -1, number of recurring calls of the old form,
--           {key of an ordinary entry that is due, …}, id, {field, value, …}, id, {…}, …}
-- Touches  redbeat:recurring:<id>, schedule:<id>, schedules, old schedules, scheduler
--- @include "clock"
--- @include "memory"
--- @include "schedule"

local now, wanted = now_ms(), tonumber(ARGV[1])
local until_s = string.format('%.3f', now / 1000)
free_first()
local ordinary, found, offset = {}, {}, 0
repeat
    -- The newest first: a call that is due now does not wait behind those of an outage.
    local part = redis.call('ZREVRANGEBYSCORE', K.schedules, until_s, 0, 'LIMIT', offset, wanted)
    for _, key in ipairs(part) do
        local id = number_of_entry(key)
        offset = offset + 1
        if not id then
            ordinary[#ordinary + 1] = key
        elseif redis.call('EXISTS', key) == 1 then
            found[#found + 1] = id
        else
            -- Its record was deleted, by RedBeat's means or by hand.
            redis.call('ZREM', K.schedules, key)
            offset = offset - 1
        end
    end
until #part < wanted or #found >= wanted

local answer = { now, -1, redis.call('ZCARD', K.old_schedules), ordinary }
for i = 1, math.min(#found, wanted) do
    answer[#answer + 1] = found[i]
    answer[#answer + 1] = record_fields(found[i])
end
if #found == 0 then
    -- A scheduler counts as active once it has handled everything.
    redis.call('HSET', K.scheduler, 'seen', now)
end
local head = redis.call('ZRANGEBYSCORE', K.schedules, '(' .. until_s, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
if head[2] then
    answer[2] = math.ceil(tonumber(head[2]) * 1000 - now)
end
return answer
