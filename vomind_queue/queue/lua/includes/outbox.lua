-- The outbox: the two streams that the call log is delivered from. `OUTBOX_MAX` bounds them.
--
-- An entry is a JSON array: kind, unix ms, ids, how many they are, details. `ids` holds ids
-- as texts and runs of consecutive numbers as {first, last}. It names calls and holds nothing
-- of them: the shipper reads their records, and a record that is removed before (`drop_record`)
-- is kept aside for it.
--- @include "clock"

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

-- Entries between two checks whether there are too many.
local BOUND_EVERY = 8
