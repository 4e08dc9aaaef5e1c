-- Follows what was done to recurring calls by RedBeat's means, a part of them at a time.
--
-- Entries that were deleted leave nothing behind. Those that were saved by RedBeat's own class, which
-- has no word for their pattern, or switched on or off by it, are named.
--
-- KEYS[1]  identities
-- ARGV[1]  cursor, '0' at first
-- ARGV[2]  how many to look at, about
-- Returns  {next cursor, number of a schedule to be mended, …}
-- Touches  identities, schedules, redbeat:recurring:<id>, schedule:<id>, runs:<id>
--- @include "entry"
--- @include "memory"
--- @include "schedule"

free_first()
local part = redis.call('HSCAN', K.identities, ARGV[1], 'COUNT', ARGV[2])
local answer = { part[1] }
for i = 1, #part[2], 2 do
    local identity, id = part[2][i], part[2][i + 1]
    local key, old = record_of(id)
    if not key then
        redis.call('HDEL', K.identities, identity)
        redis.call('DEL', K.schedule .. id, K.runs .. id)
    elseif not old and is_foreign(key) then
        answer[#answer + 1] = id
    end
end
return answer
