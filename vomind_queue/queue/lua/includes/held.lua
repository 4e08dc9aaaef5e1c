-- A call that a worker holds, and its way back into the queue.
--- @include "clock"
--- @include "expiry"
--- @include "job"
--- @include "log"
--- @include "notify"
--- @include "waiting"
--- @include "window"

local function release(mem)
    -- A call that is leased has no unknown outcome.
    if redis.call('ZREM', K.leases, mem) == 0 then
        redis.call('ZREM', K.reconciling, mem)
    end
    redis.call('ZREM', K.active, mem)
end

-- Delays a held job until `due`; with `keep` it then takes its old place. `by`, optional: the kind of
-- rule that delays it.
local function delay(id, due, keep, by)
    local key = job_key(id)
    local mem = member(id)
    release(mem)
    redis.call('HDEL', key, 'lease', 'mark', 'callbacks', 'looks', 'horizon', 'notbefore')
    if not keep then
        redis.call('HDEL', key, 'pos')
    end
    local at = string.format('%.0f', due)
    redis.call('HSET', key, 'state', 'delayed', 'next', at)
    redis.call('ZADD', K.delayed, due, mem)
    watch_expiry(mem, redis.call('HGET', key, 'notafter'), now_ms())
    log_event(id, 'put_off', { due = at, rule = by })
    if redis.call('ZRANGE', K.delayed, 0, 0)[1] == mem then
        notify()
    end
end

-- Puts a held job back in its old place. A start that was made stays in the
-- window; a mere reservation is given up.
local function requeue(id, now, started)
    local key = job_key(id)
    local job = redis.call('HMGET', key, 'priority', 'pos', 'lease', 'notbefore', 'notafter', 'c')
    local mem = member(id)
    if job[4] then
        -- Its attempt has ended; only the delay was missing.
        delay(id, math.max(tonumber(job[4]), now), false)
        return
    end
    release(mem)
    if not job[1] then
        return
    end
    if job[3] and not started then
        give_start_back(job[3], job[6], now)
    end
    redis.call('HDEL', key, 'lease', 'mark', 'callbacks', 'pos', 'looks', 'horizon')
    redis.call('HSET', key, 'state', 'waiting')
    redis.call('ZADD', waiting_set(job[1], job[6]), job[2] or now, mem)
    watch_expiry(mem, job[5], now)
    log_event(id, 'given_back')
    notify()
end
