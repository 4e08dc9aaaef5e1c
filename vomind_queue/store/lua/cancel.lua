-- Removes a call that is not being placed.
--
-- KEYS[1]  active
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  job id
-- Returns  {ok, now, state it was in}, {wrong_state, now, state}, {missing | late, now}
-- Touches  job:<id>, waiting:<rank>, delayed, completed, failed, outbox
local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local state = state_of(ARGV[2])
if not state then
    return { C.missing, now }
end
if state == 'active' then
    return { C.wrong_state, now, state }
end
local mem = member(ARGV[2])
for rank = 1, 3 do
    redis.call('ZREM', K.waiting .. rank, mem)
end
redis.call('ZREM', K.delayed, mem)
redis.call('ZREM', K.completed, mem)
redis.call('ZREM', K.failed, mem)
if state == 'completed' or state == 'failed' then
    log_event(ARGV[2], 'removed')
else
    redis.call('HSET', job_key(ARGV[2]), 'state', 'cancelled', 'ended', now)
    log_event(ARGV[2], 'cancelled')
end
drop_record(ARGV[2])
return { C.ok, now, state }
