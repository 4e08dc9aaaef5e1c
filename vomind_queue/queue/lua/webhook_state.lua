-- How deliveries to webhooks go, all together. Writes nothing.
--
-- KEYS[1]  webhooks
-- ARGV[1]  a notifier that was silent for this long is gone, ms
-- Returns  {webhooks, of them ended by themselves, of them failing, notifiers at work, what was lost,
--          age of the oldest event that one which is switched on has not come to, ms, name of a total,
--          number, …}
-- Touches  webhooks, webhook:<id>, webhooks:totals, notifiers, outbox
--- @include "clock"

-- Its age, and 0 where all have come to the last event.
local function lag(cursor)
    local next_one = cursor and redis.call('XRANGE', K.events, string.format('%.0f-0', cursor + 1), '+', 'COUNT', 1)[1]
    -- Fields of an event: `event_append`.
    return next_one and math.max(now_ms() - tonumber(next_one[2][4]), 0) or 0
end

local found = redis.call('HGETALL', K.webhooks)
local ended, failing, oldest = 0, 0, nil
for i = 1, #found, 2 do
    local state = redis.call('HMGET', K.webhook .. found[i], 'ended', 'failing_since', 'cursor')
    if state[1] then
        ended = ended + 1
    else
        failing = failing + (state[2] and 1 or 0)
        if not string.find(found[i + 1], '"enabled": false', 1, true) then
            oldest = math.min(oldest or math.huge, tonumber(state[3] or 0))
        end
    end
end
local lost = 0
local counts = redis.call('HGETALL', K.events_lost)
for i = 2, #counts, 2 do
    lost = lost + tonumber(counts[i])
end
local notifiers = redis.call('ZCOUNT', K.notifiers, now_ms() - tonumber(ARGV[1]), '+inf')
return { #found / 2, ended, failing, notifiers, lost, lag(oldest), unpack(redis.call('HGETALL', K.webhook_totals)) }
