-- A page of recurring calls, soonest first, all of one moment. Writes nothing.
--
-- RedBeat's ordinary tasks stand among them and are left out. Those without a next tick come after
-- the others; those of the old form come last.
--
-- KEYS[1]  schedules
-- ARGV[1]  index of the first one wanted, from 0
-- ARGV[2]  index of the last one
-- Returns  {total, id, {field, value, …}, {instant, {field, value, …}} or {}, id, …}: record and
--          last occurrence
-- Touches  job:<id>, redbeat:recurring:<id>, schedule:<id>, schedules, old schedules, identities,
--          runs:<id>
--- @include "job"
--- @include "occurrence"
--- @include "schedule"

local size, old = redis.call('ZCARD', K.schedules), redis.call('ZCARD', K.old_schedules)
local resting = redis.call('ZCOUNT', K.schedules, '-inf', '(0')
local from, to = tonumber(ARGV[1]), tonumber(ARGV[2])
local total = math.min(size + old, redis.call('HLEN', K.dedup_keys))
local ordinary = size + old - total

-- What lies where, in the order of the page: sorted set, rank of the first, how many.
local PARTS = { { K.schedules, resting, size - resting }, { K.schedules, 0, resting }, { K.old_schedules, 0, old } }

local function numbers(first, last)
    local found = {}
    for _, part in ipairs(PARTS) do
        local name, rank, length = unpack(part)
        local a, b = math.max(first, 0), math.min(last, length - 1)
        for _, mem in ipairs(a <= b and redis.call('ZRANGE', name, rank + a, rank + b) or {}) do
            found[#found + 1] = name == K.old_schedules and id_of(mem) or number_of_entry(mem)
        end
        first, last = first - length, last - length
    end
    return found
end

local ids
if ordinary == 0 then
    ids = numbers(from, to)
else
    -- Ordinary tasks take up places: it is counted from the first one.
    local all = numbers(0, to + ordinary)
    ids = { unpack(all, from + 1, math.min(to + 1, #all)) }
end
local answer = { total }
for _, id in ipairs(ids) do
    local fields = record_fields(id)
    if #fields > 0 then
        answer[#answer + 1] = id
        answer[#answer + 1] = fields
        answer[#answer + 1] = last_runs(id, 1)
    end
end
return answer
