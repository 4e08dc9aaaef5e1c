-- How deliveries to webhooks go, all together. Writes nothing.
--
-- KEYS[1]  webhooks
-- ARGV[1]  a notifier that was silent for this long is gone, ms
-- Returns  {webhooks, of them ended by themselves, of them failing, notifiers at work, what was lost}
-- Touches  webhooks:epochs, webhook:<id>, notifiers, outbox
--- @include "clock"

local epochs = redis.call('HGETALL', K.webhook_epochs)
local ended, failing = 0, 0
for i = 1, #epochs, 2 do
    local state = redis.call('HMGET', K.webhook .. epochs[i], 'ended', 'failing_since')
    if state[1] then
        ended = ended + 1
    elseif state[2] then
        failing = failing + 1
    end
end
local lost = 0
local counts = redis.call('HGETALL', K.events_lost)
for i = 2, #counts, 2 do
    lost = lost + tonumber(counts[i])
end
local notifiers = redis.call('ZCOUNT', K.notifiers, now_ms() - tonumber(ARGV[1]), '+inf')
return { #epochs / 2, ended, failing, notifiers, lost }
