-- Recurring calls by the number that they ring and by the lead that they are about.
--
-- One sorted set has an entry for each, all with the score 0 and so in the order of their bytes:
-- those of one number lie side by side, in the order in which they were accepted.
--- @include "job"

-- What the entries of a number begin with.
local function of_number(number)
    return 'n' .. number .. ' '
end

-- The same of a lead, given as JSON without its quotes; a digest keeps its length and bytes out.
local function of_lead(lead)
    return 'l' .. redis.sha1hex(lead) .. ' '
end

-- The lead in a call's `data`; nil where it has none. No text in it can look like the end of the
-- field before, since quotes in a text are escaped.
local function lead_of(data)
    local _, before = string.find(data, ',"lead_id":', 1, true)
    local after = string.find(data, ',"priority":"', 1, true)
    if before and after and before < after then
        local lead = string.sub(data, before + 1, after - 1)
        return string.match(lead, '^"(.*)"$') or lead
    end
end

-- The entries of a recurring call, out of its `data`; none where that cannot be read.
local function entries_of(id, data)
    local number = string.match(data or '', '^{"to":"([^"\\]*)"')
    local lead = number and lead_of(data)
    local found = { number and of_number(number) .. member(id) }
    found[#found + 1] = lead and of_lead(lead) .. member(id)
    return found
end

local function index(id, data)
    for _, entry in ipairs(entries_of(id, data)) do
        redis.call('ZADD', K.recurring_index, 0, entry)
    end
end

local function unindex(id, data)
    for _, entry in ipairs(entries_of(id, data)) do
        redis.call('ZREM', K.recurring_index, entry)
    end
end

-- Numbers of the recurring calls whose entries begin so; `most` of them at most, -1 for all.
local function indexed(prefix, most)
    -- An entry ends with a letter and digits, before which stands nothing as large as a brace.
    local entries = redis.call('ZRANGEBYLEX', K.recurring_index, '[' .. prefix, '(' .. prefix .. '{',
        'LIMIT', 0, most)
    for i, entry in ipairs(entries) do
        entries[i] = id_of(string.sub(entry, #prefix + 1))
    end
    return entries
end
