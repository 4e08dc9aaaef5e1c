-- Follows what was done to recurring calls by RedBeat's means or by an older version, a part of
-- them at a time.
--
-- Entries that were deleted leave nothing behind. Those that were saved by RedBeat's own class, which
-- has no word for their pattern, or switched on or off by it, are named. Those that an older version
-- stored come into the index.
--
-- KEYS[1]  identities
-- ARGV[1]  cursors of dedup keys and of the index with a space between them, '0' at first
-- ARGV[2]  how many to look at, about
-- Returns  {next cursors, number of a schedule to be mended, …}
-- Touches  identities, schedules, redbeat:recurring:<id>, schedule:<id>, runs:<id>, recurring_index
--- @include "entry"
--- @include "index"
--- @include "job"
--- @include "memory"
--- @include "schedule"

free_first()
local cursor, index_cursor = string.match(ARGV[1], '^(%d+) ?(%d*)$')
local rows = redis.call('ZSCAN', K.recurring_index, tonumber(index_cursor) or 0, 'COUNT',
    math.ceil(ARGV[2] / 2))
for i = 1, #rows[2], 2 do
    local entry = rows[2][i]
    local id = id_of(string.match(entry, '%S*$'))
    local key = record_of(id)
    local entries = entries_of(id, key and redis.call('HGET', key, 'data'))
    if entry ~= entries[1] and entry ~= entries[2] then
        redis.call('ZREM', K.recurring_index, entry)
    end
end
local part = redis.call('HSCAN', K.dedup_keys, cursor, 'COUNT', ARGV[2])
local answer = { part[1] .. ' ' .. rows[1] }
for i = 1, #part[2], 2 do
    local dedup_key, id = part[2][i], part[2][i + 1]
    local key, old = record_of(id)
    if not key then
        redis.call('HDEL', K.dedup_keys, dedup_key)
        redis.call('DEL', K.schedule .. id, K.runs .. id)
    else
        index(id, redis.call('HGET', key, 'data'))
        if not old and is_foreign(key) then
            answer[#answer + 1] = id
        end
    end
end
return answer
