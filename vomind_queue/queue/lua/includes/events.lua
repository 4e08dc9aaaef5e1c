-- What webhooks and the live stream are told, on its way to the notifier.
--
-- An entry is a JSON array, as in the outbox; of anything but calls it is: type, unix ms, data.
--- @include "clock"
--- @include "outbox"

-- Whether anybody listens; otherwise nothing is noted.
local function is_followed()
    return redis.call('EXISTS', K.events_wanted) == 1
end

-- Sequence number of the last entry that became events, and how many calls of the next one did.
local function events_prepared()
    local last, calls = string.match(redis.call('GET', K.events_prepared) or '0 0', '^(%d+) (%d+)$')
    return tonumber(last), tonumber(calls)
end

local function note_entry(sequence, text)
    redis.call('XADD', K.events_outbox, sequence .. '-0', 'e', text)
    local over = redis.call('XLEN', K.events_outbox) - OUTBOX_MAX
    if over > 0 then
        redis.call('HINCRBY', K.events_lost, 'entries',
            redis.call('XTRIM', K.events_outbox, 'MAXLEN', OUTBOX_MAX))
    end
end

-- Notes what happened to anything but a call; `data` is a table.
local function note_event(kind, data)
    if is_followed() then
        local sequence = string.format('%.0f', next_sequences(1) + 1)
        note_entry(sequence, cjson.encode({ kind, now_ms(), data }))
    end
end

-- Sequence number up to which neither the call log nor events need the record of a removed call.
local function released_sequence()
    local shipped = tonumber(redis.call('GET', K.outbox_shipped) or 0)
    return is_followed() and math.min(shipped, (events_prepared())) or shipped
end

-- Drops records of removed calls that are not needed any more; at most 500.
local function drop_released()
    local done = released_sequence()
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.outbox_gone, '-inf', done, 'LIMIT', 0, 500)) do
        redis.call('DEL', K.gone .. id)
        redis.call('ZREM', K.outbox_gone, id)
    end
    return redis.call('ZCOUNT', K.outbox_gone, '-inf', done)
end

-- Begins to note what happens, from now on, where nobody listened before.
local function begin_events(now)
    if not is_followed() then
        redis.call('DEL', K.events_outbox)
        redis.call('SET', K.events_prepared, (redis.call('GET', K.outbox_last) or '0') .. ' 0')
    end
    if tonumber(redis.call('GET', K.events_last) or 0) < LEAST_SEQUENCE then
        redis.call('SET', K.events_last, string.format('%.0f', now * 1000))
    end
end
