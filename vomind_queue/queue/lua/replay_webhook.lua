-- Moves a subscription back, so that it gets events again.
--
-- KEYS[1]  webhooks
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  sequence number of the first event to be delivered
-- Returns  {ok | missing | late, now}
-- Touches  webhooks, webhooks:epochs, webhook:<id>
--- @include "clock"
--- @include "memory"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local id, state = ARGV[2], K.webhook .. ARGV[2]
if redis.call('HEXISTS', K.webhooks, id) == 0 then
    return { C.missing, now }
end
free_first()
redis.call('HSET', state, 'cursor', string.format('%.0f', tonumber(ARGV[3]) - 1))
redis.call('HDEL', state, 'ended', 'ended_at', 'failing_since', 'streak', 'next')
redis.call('DEL', state .. ':retries')
redis.call('HINCRBY', K.webhook_epochs, id, 1)
return { C.ok, now }
