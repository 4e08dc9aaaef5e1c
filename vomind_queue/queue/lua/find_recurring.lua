-- A page of the recurring calls of a number, a lead or a key, soonest first. Writes nothing.
--
-- Those without a next tick come last. Each that matches costs some 3 µs.
--
-- KEYS[1]  schedules
-- ARGV[1]  index of the first one wanted, from 0
-- ARGV[2]  index of the last one
-- ARGV[3]  the number, or ''
-- ARGV[4]  the lead as JSON without its quotes, or ''
-- ARGV[5]  the dedup key, or ''
-- Returns  as `schedules.lua`
-- Touches  schedules, redbeat:recurring:<id>, schedule:<id>, runs:<id>, job:<id>, identities,
--          recurring_index
--- @include "index"
--- @include "job"
--- @include "occurrence"
--- @include "schedule"

local lists = {}
if ARGV[5] ~= '' then
    lists[1] = { redis.call('HGET', K.dedup_keys, ARGV[5]) or nil }
end
if ARGV[3] ~= '' then
    lists[#lists + 1] = indexed(of_number(ARGV[3]), -1)
end
if ARGV[4] ~= '' then
    lists[#lists + 1] = indexed(of_lead(ARGV[4]), -1)
end

local lacking = {}
for _, list in ipairs(lists) do
    for _, id in ipairs(list) do
        lacking[id] = (lacking[id] or #lists) - 1
    end
end
local found = {}
for _, id in ipairs(lists[1]) do
    local key, old = record_of(id)
    if key and lacking[id] == 0 then
        found[#found + 1] = { id, tonumber(tick_of(key, old) or math.huge) }
    end
end
table.sort(found, function(a, b)
    return a[2] < b[2] or (a[2] == b[2] and member(a[1]) < member(b[1]))
end)

local answer = { #found }
for i = tonumber(ARGV[1]) + 1, math.min(tonumber(ARGV[2]) + 1, #found) do
    local id = found[i][1]
    answer[#answer + 1] = id
    answer[#answer + 1] = record_fields(id)
    answer[#answer + 1] = last_runs(id, 1)
end
return answer
