-- Writes a plain entry of the log at once.
--- @include "events"
--- @include "outbox"

-- Writes at once that a call of a plain number was accepted or the like: for a script that has
-- nothing else to tell, and for events that are neither final nor uncounted.
local function log_alone(number, kind, now)
    local before = next_sequences(1)
    redis.call('HINCRBY', K.totals, 'event:' .. kind, 1)
    local sequence = string.format('%.0f', before + 1)
    local text = string.format('["%s",%.0f,[[%.0f,%.0f]],1]', kind, now, number, number)
    redis.call('XADD', K.outbox_details, sequence .. '-0', 'e', text)
    if is_followed() then
        note_entry(sequence, text)
    end
    if before % BOUND_EVERY + 1 >= BOUND_EVERY then
        bound_log()
    end
end
