-- Pauses the queue as BullMQ itself does: no worker starts a job from now on.
--
-- KEYS[1]  meta
-- ARGV[1]  what all keys of the queue begin with
-- ARGV[2]  1 for BullMQ before 6, which keeps the waiting jobs of a paused queue elsewhere
-- Returns  1, or 0 when it was paused already
local base = ARGV[1]
if redis.call('HEXISTS', KEYS[1], 'paused') == 1 then
    return 0
end
redis.call('HSET', KEYS[1], 'paused', 1)
redis.call('DEL', base .. 'marker')
if ARGV[2] == '1' and redis.call('EXISTS', base .. 'wait') == 1 then
    -- Both lists are taken over, so if both exist they can stay as they are.
    redis.call('RENAMENX', base .. 'wait', base .. 'paused')
end
redis.call('XADD', base .. 'events', '*', 'event', 'paused')
return 1
