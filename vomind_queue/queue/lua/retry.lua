-- Puts a failed call back into the queue with a full set of attempts.
--
-- KEYS[1]  failed
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  job id
-- ARGV[3]  who wants it, or ''
-- ARGV[4]  names the request: one that has retried the call already does nothing; or ''
-- Returns  {ok, now}, {wrong_state, now, state}, {missing | late, now}
-- Touches  job:<id>, waiting:<rank>, failed, redbeat:recurring:<id>, schedule:<id>, runs:<id>,
--          staging, totals, notify, outbox
--- @include "clock"
--- @include "job"
--- @include "log"
--- @include "memory"
--- @include "run"
--- @include "state"
--- @include "notify"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local state = state_of(ARGV[2])
if not state then
    return { C.missing, now }
end
local key = job_key(ARGV[2])
if ARGV[4] ~= '' and redis.call('HGET', key, 'retriedby') == ARGV[4] then
    return { C.ok, now }
end
if state ~= 'failed' then
    return { C.wrong_state, now, state }
end
free_first()
local mem = member(ARGV[2])
redis.call('ZREM', K.failed, mem)
local reason = redis.call('HGET', key, 'reason')
if reason then
    redis.call('HSET', key, 'why', reason)
end
redis.call('HDEL', key, 'round', 'repeats', 'reason', 'ended', 'notbefore')
redis.call('HSET', key, 'state', 'waiting')
redis.call('ZADD', K.waiting .. redis.call('HGET', key, 'priority'), now, mem)
hold_run(ARGV[2])
if ARGV[4] ~= '' then
    redis.call('HSET', key, 'retriedby', ARGV[4])
end
log_event(ARGV[2], 'retried', done_by(ARGV[3]))
notify()
return { C.ok, now }
