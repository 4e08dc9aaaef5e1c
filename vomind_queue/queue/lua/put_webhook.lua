-- Stores a subscription, a new one or a changed one.
--
-- KEYS[1]  webhooks
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  the subscription as JSON
-- ARGV[4]  subscriptions at most, for a new one; '' for one that must be there
-- ARGV[5]  '1' to deliver again where it had ended, else ''
-- ARGV[6]  what it has to be now, as JSON, or ''
-- Returns  {ok | missing | wrong_state | mismatch | late, now}
--          `wrong_state`: there are as many as there may be; `mismatch`: it was changed meanwhile
-- Touches  webhooks, webhooks:epochs, webhook:<id>, outbox
--- @include "clock"
--- @include "events"
--- @include "memory"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
free_first()
local id, state = ARGV[2], K.webhook .. ARGV[2]
local stored = redis.call('HGET', K.webhooks, id)
if ARGV[4] == '' then
    if not stored then
        return { C.missing, now }
    end
    if ARGV[6] ~= '' and ARGV[6] ~= stored then
        return { C.mismatch, now }
    end
elseif redis.call('HLEN', K.webhooks) >= tonumber(ARGV[4]) then
    return { C.wrong_state, now }
else
    begin_events(now)
    redis.call('HSET', state, 'cursor', redis.call('GET', K.events_last))
end
redis.call('HSET', K.webhooks, id, ARGV[3])
redis.call('SET', K.events_wanted, 1)
redis.call('HINCRBY', K.webhook_epochs, id, 1)
if ARGV[5] == '1' then
    redis.call('HDEL', state, 'ended', 'ended_at', 'failing_since', 'streak', 'next')
end
return { C.ok, now }
