-- What a script does to its calls is noted here while it runs and written into the outbox at its
-- end, so that there is no change without its entry and no entry without its change. Of every
-- script that includes this file, itself or through others, the loader calls `flush_log` last.
--- @include "clock"
--- @include "events"
--- @include "job"
--- @include "outbox"
--- @include "parts"

-- Comparisons, not tables: each run of a script would build them.
local function log_is_final(kind)
    return kind == 'completed' or kind == 'failed' or kind == 'cancelled' or kind == 'removed'
        or kind == 'revived' or kind == 'line_ended'
end

-- Starts are counted by how long they had waited, and each start was taken before.
local function log_is_uncounted(kind)
    return kind == 'taken' or kind == 'started'
end

-- Steps within the queue make no event for webhooks.
local function log_is_silent(kind, details)
    return kind == 'taken' or kind == 'due' or kind == 'given_back' or kind == 'removed'
        or (kind == 'put_off' and not (details and details.rule))
end

local log_groups, log_last, log_open, log_dropped = {}, {}, {}, {}

local function log_group(kind, details)
    local group = { kind = kind, ids = {}, count = 0, details = details }
    log_groups[#log_groups + 1] = group
    return group
end

-- Notes what happened to a call. `details`, optional, is a flat table: what the record will
-- not say any more later. Events without details share an entry as far as their order allows.
local function log_event(id, kind, details)
    local at = log_open[kind]
    local group = at and not details and at > (log_last[id] or 0) and log_groups[at]
    if not group then
        group = log_group(kind, details)
        log_open[kind] = not details and #log_groups or nil
        at = #log_groups
    end
    log_last[id] = at
    group.count = group.count + 1
    -- As many digits as cjson writes without an exponent.
    local number = #id <= 13 and string.match(id, '^[1-9]%d*$') and tonumber(id)
    local tail = group.ids[#group.ids]
    if number and group.tail == number - 1 then
        if type(tail) == 'table' then
            tail[2] = number
        else
            group.ids[#group.ids] = { group.tail, number }
        end
    else
        group.ids[#group.ids + 1] = id
    end
    group.tail = number
end

-- The same for `count` calls with consecutive ids from the number `first` on, at no further cost.
local function log_range(first, count, kind)
    local group = log_group(kind, nil)
    group.ids[1] = { first, first + count - 1 }
    group.count = count
end

-- The details of what a person did; nil where nobody is named.
local function done_by(by)
    return by and by ~= '' and { by = by } or nil
end

-- Records are kept until the shipper is past this sequence number.
local function keep_dropped(last)
    for _, id in ipairs(log_dropped) do
        redis.call('ZADD', K.outbox_gone, last, id)
    end
    while redis.call('ZCARD', K.outbox_gone) > OUTBOX_MAX do
        local oldest = redis.call('ZPOPMIN', K.outbox_gone)
        local is_logged = tonumber(oldest[2]) <= tonumber(redis.call('GET', K.outbox_shipped) or 0)
        redis.call('DEL', K.gone .. oldest[1])
        redis.call('HINCRBY', is_logged and K.events_lost or K.outbox_lost, 'records', 1)
    end
end

-- Writes what was noted.
local function flush_log()
    local last = nil
    if #log_groups > 0 then
        local now = now_ms()
        local before = next_sequences(#log_groups)
        last = before + #log_groups
        local followed = is_followed()
        for i, group in ipairs(log_groups) do
            local final = log_is_final(group.kind)
            if not log_is_uncounted(group.kind) then
                redis.call('HINCRBY', K.totals, 'event:' .. group.kind, group.count)
            end
            local sequence = string.format('%.0f', before + i)
            local text = cjson.encode({ group.kind, now, group.ids, group.count, group.details })
            redis.call('XADD', final and K.outbox_finals or K.outbox_details, sequence .. '-0', 'e', text)
            if followed and not log_is_silent(group.kind, group.details) then
                note_entry(sequence, text)
            end
            if final or group.kind == 'line' or group.kind == 'recorded' then
                for _, id in ipairs(group.ids) do
                    if type(id) == 'string' and not log_dropped[id] then
                        redis.call('HSET', K.job .. id, 'log', sequence)
                    end
                end
            end
        end
        if before % BOUND_EVERY + #log_groups >= BOUND_EVERY then
            bound_log()
        end
    end
    -- After the entries: what ends a campaign comes before its end.
    if next(log_last) and has_campaigns() then
        for id in pairs(log_last) do
            count_call(job_key(id))
        end
    end
    if #log_dropped > 0 then
        keep_dropped(last or redis.call('GET', K.outbox_last) or 0)
    end
end
