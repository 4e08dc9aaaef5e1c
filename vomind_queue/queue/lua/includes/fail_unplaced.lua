-- Ends a call that must never be placed; Twilio is not asked.
--- @include "attempt"
--- @include "clock"
--- @include "held"
--- @include "history"
--- @include "hours"
--- @include "job"
--- @include "log"
--- @include "totals"
--- @include "waiting"
--- @include "window"

-- `kind`: of the failure. `age` and `keep`: how long and how many failed calls are kept.
local function fail_unplaced(id, kind, reason, age, keep)
    local now, key, mem = now_ms(), job_key(id), member(id)
    local job = redis.call('HMGET', key, 'state', 'priority', 'lease', 'reason', 'attempts', 'c')
    if job[4] then
        keep_why(key, job[4])
        reason = reason .. ' Before that: ' .. job[4]
    end
    if job[1] == 'active' then
        release(mem)
        give_start_back(job[3] or '', job[6], now)
    end
    redis.call('ZREM', waiting_set(job[2], job[6]), mem)
    redis.call('ZREM', K.delayed, mem)
    redis.call('ZREM', K.expiring, mem)
    stop_holding(job_key(id), mem)
    redis.call('HDEL', key, 'lease', 'pos', 'notbefore', 'round', 'busy', 'crowded')
    redis.call('HSET', key, 'state', 'failed', 'reason', reason, 'ended', now)
    redis.call('ZADD', K.failed, now, mem)
    log_event(id, 'failed', { attempt = tonumber(job[5]), reason = reason })
    tally(now, 'not-placed')
    total('failure:' .. kind)
    trim(K.failed, age, keep)
end
