-- Writes a plain entry of the log at once.
--- @include "outbox"

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
