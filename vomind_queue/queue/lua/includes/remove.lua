-- Takes a call out of the queue or out of history.
--- @include "clock"
--- @include "drop_record"
--- @include "hours"
--- @include "job"
--- @include "log"
--- @include "waiting"

-- Takes a job that nobody holds out of the queue or out of history. `by`, optional: who wants it.
local function remove(id, by)
    local mem = member(id)
    local state, campaign = unpack(redis.call('HMGET', job_key(id), 'state', 'c'))
    for rank = 1, 3 do
        redis.call('ZREM', waiting_set(rank, campaign), mem)
    end
    redis.call('ZREM', K.delayed, mem)
    redis.call('ZREM', K.expiring, mem)
    stop_holding(job_key(id), mem)
    redis.call('ZREM', K.completed, mem)
    redis.call('ZREM', K.failed, mem)
    if state == 'completed' or state == 'failed' then
        log_event(id, 'removed', done_by(by))
    elseif state then
        redis.call('HSET', job_key(id), 'state', 'cancelled', 'ended', now_ms())
        log_event(id, 'cancelled', done_by(by))
    end
    drop_record(id)
end
