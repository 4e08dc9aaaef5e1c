-- Stands above `prelude.lua`: what a script does to its calls is noted here while it runs and
-- written into the outbox at its end (`flush_log`), so that there is no change without its
-- entry and no entry without its change. `OUTBOX_MAX` stands above it, too.
--
-- An entry is a JSON array: kind, unix ms, ids, how many they are, details. `ids` holds ids
-- as texts and runs of consecutive numbers as {first, last}. It names calls and holds nothing
-- of them: the shipper reads their records, and a record that is removed before (`drop_record`)
-- is kept aside for it.
local script_now = nil

-- The same for as long as a script runs.
local function now_ms()
    if not script_now then
        local time = redis.call('TIME')
        script_now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    end
    return script_now
end

local LOG_FINAL = { completed = true, failed = true, cancelled = true, removed = true, revived = true,
    line_ended = true }

-- Starts are counted by how long they had waited, and each start was taken before.
local LOG_UNCOUNTED = { taken = true, started = true }

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

-- Key of a call's row in the log: ordered by time, and its own even where a server that has
-- lost its data counts ids from 1 again.
local function log_key(id, at)
    return string.format('%015.0f-', tonumber(at)) .. string.rep('0', 12 - #id) .. id
end

-- Removes a call's record; while entries of it are on their way it is kept aside.
local function drop_record(id)
    local key = K.job .. id
    local logged = redis.call('HGET', key, 'log')
    log_dropped[id] = true
    if log_last[id] or (logged and tonumber(logged) > tonumber(redis.call('GET', K.outbox_shipped) or 0)) then
        redis.call('RENAME', key, K.gone .. id)
        log_dropped[#log_dropped + 1] = id
    else
        redis.call('DEL', key)
    end
end

-- Takes up to `count` of the oldest entries out of a stream and counts their events as lost.
local function thin_log(stream, count, name)
    if count <= 0 then
        return
    end
    local lost = 0
    for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', math.min(count, 100))) do
        lost = lost + cjson.decode(entry[2][2])[4]
        redis.call('XDEL', stream, entry[1])
    end
    redis.call('HINCRBY', K.outbox_lost, name, lost)
end

local function bound_log()
    local details, finals = redis.call('XLEN', K.outbox_details), redis.call('XLEN', K.outbox_finals)
    local over = details + finals - OUTBOX_MAX
    if over > 0 then
        thin_log(K.outbox_details, math.min(over, details), 'details')
    end
    if over > details then
        thin_log(K.outbox_finals, over - details, 'finals')
    end
end

-- Records are kept until the shipper is past this sequence number.
local function keep_dropped(last)
    for _, id in ipairs(log_dropped) do
        redis.call('ZADD', K.outbox_gone, last, id)
    end
    while redis.call('ZCARD', K.outbox_gone) > OUTBOX_MAX do
        redis.call('DEL', K.gone .. redis.call('ZPOPMIN', K.outbox_gone)[1])
        redis.call('HINCRBY', K.outbox_lost, 'records', 1)
    end
end

-- Sequence numbers begin with the time in microseconds and go up by one, so that they go on
-- from where they were even where this server has lost its data.
local LEAST_SEQUENCE = 10 ^ 15

local function next_sequences(count)
    local last = redis.call('INCRBY', K.outbox_last, count)
    if last < LEAST_SEQUENCE then
        last = now_ms() * 1000 + count
        redis.call('SET', K.outbox_last, string.format('%.0f', last))
    end
    return last - count
end

-- So many entries apart it is looked whether there are too many.
local BOUND_EVERY = 8

-- Writes what was noted.
local function flush_log()
    if #log_groups > 0 then
        local now = now_ms()
        local before = next_sequences(#log_groups)
        for i, group in ipairs(log_groups) do
            local final = LOG_FINAL[group.kind]
            if not LOG_UNCOUNTED[group.kind] then
                redis.call('HINCRBY', K.totals, 'event:' .. group.kind, group.count)
            end
            local sequence = string.format('%.0f', before + i)
            redis.call('XADD', final and K.outbox_finals or K.outbox_details, sequence .. '-0', 'e',
                cjson.encode({ group.kind, now, group.ids, group.count, group.details }))
            if final or group.kind == 'line' then
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
    if #log_dropped > 0 then
        keep_dropped(redis.call('GET', K.outbox_last) or 0)
    end
end

-- Writes at once that a call of a plain number was accepted or the like: for a script that has
-- nothing else to tell, and for events that are neither final nor uncounted.
local function log_alone(number, kind, now)
    local before = next_sequences(1)
    redis.call('HINCRBY', K.totals, 'event:' .. kind, 1)
    redis.call('XADD', K.outbox_details, string.format('%.0f-0', before + 1), 'e',
        string.format('["%s",%.0f,[[%.0f,%.0f]],1]', kind, now, number, number))
    if before % BOUND_EVERY + 1 >= BOUND_EVERY then
        bound_log()
    end
end
