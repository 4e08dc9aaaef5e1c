-- Stands above every script. `K` (key names, see keys.py), `C` (return codes, see
-- codes.py) and `outbox.lua` stand above it.
-- A script is given what it uses of this, no more (see pruning.py): definitions begin at the left
-- edge, and nothing but definitions stands here.

-- Under maxmemory with noeviction the first write of a script decides: when it
-- is one that only frees, the others are let through, too.
local freed = false

local function free_first()
    if not freed then
        redis.call('DEL', K.nothing)
        freed = true
    end
end

local function member(id)
    return string.char(96 + math.min(#id, 26)) .. id
end

local function id_of(mem)
    return string.sub(mem, 2)
end

local function job_key(id)
    return K.job .. id
end

local function wake()
    if redis.call('LLEN', K.wake) == 0 then
        redis.call('LPUSH', K.wake, '1')
    end
end

-- The number that a call goes to, out of its `data`, which begins with it (see record.py).
local function number_of(data)
    return string.match(data, '^{"to":"([^"\\]*)"') or cjson.decode(data)['to']
end

-- Another call to the number may be placed, unless one is already.
local function free_number(id, number)
    if redis.call('HGET', K.dialing, number) == id then
        redis.call('HDEL', K.dialing, number)
    end
end

-- Whether a job belongs to a bulk that is not there yet, though its record is.
local function is_staged(id)
    local number = tonumber(id)
    for _, bulk in ipairs(redis.call('ZRANGE', K.staging, 0, -1)) do
        local first, count = string.match(bulk, '^(%d+):(%d+)$')
        if number and number >= tonumber(first) and number < first + count then
            return true
        end
    end
    return false
end

local function state_of(id)
    local state = redis.call('HGET', job_key(id), 'state')
    return state and not is_staged(id) and state
end

local function late(deadline, now)
    deadline = tonumber(deadline)
    return deadline > 0 and now > deadline
end

local function let_go(mem)
    redis.call('ZREM', K.leases, mem)
    redis.call('ZREM', K.settling, mem)
    redis.call('ZREM', K.active, mem)
end

-- Puts a held job off until `due`, at which it takes its old place if `keep`.
local function put_off(id, due, keep)
    local key = job_key(id)
    local mem = member(id)
    let_go(mem)
    redis.call('HDEL', key, 'lease', 'mark', 'looks', 'notbefore')
    if not keep then
        redis.call('HDEL', key, 'pos')
    end
    redis.call('HSET', key, 'state', 'delayed')
    redis.call('ZADD', K.delayed, due, mem)
    log_event(id, 'put_off', { due = string.format('%.0f', due) })
    if redis.call('ZRANGE', K.delayed, 0, 0)[1] == mem then
        wake()
    end
end

-- Puts a held job back in its old place. A start that was made stays in the
-- window; a mere reservation is given up.
local function requeue(id, now, started)
    local key = job_key(id)
    local job = redis.call('HMGET', key, 'priority', 'pos', 'lease', 'notbefore')
    local mem = member(id)
    if job[4] then
        -- Its attempt has ended; only the putting off was missing.
        put_off(id, math.max(tonumber(job[4]), now), false)
        return
    end
    let_go(mem)
    if not job[1] then
        return
    end
    if job[3] and not started then
        redis.call('ZREM', K.window, job[3])
    end
    redis.call('HDEL', key, 'lease', 'mark', 'pos', 'looks')
    redis.call('HSET', key, 'state', 'waiting')
    redis.call('ZADD', K.waiting .. job[1], job[2] or now, mem)
    log_event(id, 'given_back')
    wake()
end

-- The rate in force: an operator's change, else what the worker is set to. 0 is no limit.
local rate_change = nil

local function rate_in_force(max, window)
    if rate_change == nil then
        rate_change = redis.call('GET', K.rate)
    end
    local change = rate_change
    if not change then
        return tonumber(max), tonumber(window)
    end
    if change == 'off' then
        return 0, 0
    end
    local m, w = string.match(change, '^(%d+):(%d+)$')
    return tonumber(m), tonumber(w)
end

-- An entry leaves the window this much later than it must, so that two starts
-- further apart on Redis's clock than on the telephone's are still 10 in 60 s.
local WINDOW_GUARD_MS = 50

-- So many of the last starts are kept at least, whatever the rate is and even while there
-- is none: a change of the rate finds the starts that were made before it.
local STARTS_KEPT = 1000

local function note_start(lease, now, max)
    redis.call('ZADD', K.window, now, lease)
    redis.call('ZREMRANGEBYRANK', K.window, 0, -1 - math.max(max, STARTS_KEPT))
end

-- Starts within the window that ends now, and until fewer than `max` are in it, ms.
local function window_use(now, max, window)
    local since = now - window - WINDOW_GUARD_MS
    local used = redis.call('ZCOUNT', K.window, '(' .. since, '+inf')
    if used < max then
        return used, 0
    end
    local entry = redis.call('ZREVRANGE', K.window, max - 1, max - 1, 'WITHSCORES')
    return used, math.max(1, tonumber(entry[2]) + 1 - since)
end

-- Refusals in a row after which the breaker opens.
local BREAKER_THRESHOLD = 5

-- What the breaker's record says, as long as this script does not change it.
local breaker_read = nil

local function breaker()
    breaker_read = breaker_read or redis.call('HMGET', K.breaker, 'refusals', 'next')
    return breaker_read
end

local function change_breaker(...)
    redis.call(...)
    breaker_read = nil
end

-- nil while the breaker is closed, else the time of the next probe.
local function breaker_next()
    local refusals, next_probe = unpack(breaker())
    if refusals and tonumber(refusals) >= BREAKER_THRESHOLD then
        return tonumber(next_probe or 0)
    end
    return nil
end

-- An accepted job goes to its first place. Returns whether a worker must hear of it.
-- `logged`: the caller notes for the log that it was accepted, many calls at once.
local function enqueue(id, priority, due, now, logged)
    local mem = member(id)
    if not logged then
        log_event(id, 'accepted')
    end
    if due and due > now then
        redis.call('ZADD', K.delayed, due, mem)
        return redis.call('ZRANGE', K.delayed, 0, 0)[1] == mem
    end
    redis.call('ZADD', K.waiting .. priority, now, mem)
    return true
end

-- Number of the recurring call that a job is a run of, and its instant; nil for other jobs.
local function run_of(id)
    return string.match(id, '^recurring:(%d+):(%d+)$')
end

-- Whether a job is a run of a recurring call that was stopped for good.
local function is_stopped_run(id)
    local schedule = run_of(id)
    return schedule and redis.call('EXISTS', K.schedule .. schedule) == 0
end

-- A run that is open again, and was shown no more, must be found by who stops its recurring call.
local function hold_run(id)
    local schedule, tick = run_of(id)
    if schedule and not is_stopped_run(id) and not redis.call('LPOS', K.runs .. schedule, tick) then
        redis.call('RPUSH', K.runs .. schedule, tick)
    end
end

-- Takes a job that nobody holds out of the queue or out of history.
local function remove(id)
    local mem = member(id)
    for rank = 1, 3 do
        redis.call('ZREM', K.waiting .. rank, mem)
    end
    redis.call('ZREM', K.delayed, mem)
    redis.call('ZREM', K.completed, mem)
    redis.call('ZREM', K.failed, mem)
    local state = redis.call('HGET', job_key(id), 'state')
    if state == 'completed' or state == 'failed' then
        log_event(id, 'removed')
    elseif state then
        redis.call('HSET', job_key(id), 'state', 'cancelled', 'ended', now_ms())
        log_event(id, 'cancelled')
    end
    drop_record(id)
end

-- The answer to a request that comes too late or was answered before; nil for a new one.
local function answered(deadline, name, fingerprint, now)
    if late(deadline, now) then
        return { C.late, now }
    end
    if name == '' then
        return nil
    end
    local seen = redis.call('HMGET', K.request .. name, 'fingerprint', 'first', 'count', 'at')
    if not seen[1] then
        return nil
    end
    if seen[1] ~= fingerprint then
        return { C.mismatch, now }
    end
    return { C.replay, now, seen[2], seen[3], seen[4] }
end

-- Keeps what a request with a key is answered, for its repetitions.
local function remember(name, fingerprint, ttl, first, count, now)
    if name == '' then
        return
    end
    local request = K.request .. name
    redis.call('HSET', request, 'fingerprint', fingerprint, 'first', first, 'count', count, 'at', now)
    redis.call('PEXPIRE', request, ttl)
end

-- What the record says of the last attempt alone.
local OF_ATTEMPT = { 'finished', 'sid', 'status', 'rank', 'seq', 'seen', 'over', 'duration', 'answered', 'sip',
    'price', 'unit', 'looked', 'why' }

-- Moves the last attempt to those before it, once it has ended.
local function archive(key)
    local said = redis.call('HMGET', key, 'finished', 'attempts', 'started', 'sid', 'status', 'over',
        'duration', 'answered', 'sip', 'price', 'unit', 'reason', 'past', 'why')
    if not said[1] then
        return
    end
    local entry = cjson.encode({
        finished = said[1], attempts = said[2] or nil, started = said[3] or nil, sid = said[4] or nil,
        status = said[5] or nil, over = said[6] or nil, duration = said[7] or nil,
        answered = said[8] or nil, sip = said[9] or nil, price = said[10] or nil,
        unit = said[11] or nil, reason = said[14] or said[12] or nil,
    })
    redis.call('HSET', key, 'past', said[13] and (said[13] .. '\n' .. entry) or entry)
    redis.call('HDEL', key, unpack(OF_ATTEMPT))
end

-- A SID is accounted for from now on; those of long ago are forgotten.
local function account(sid, now, ttl)
    redis.call('ZADD', K.sids, now, sid)
    redis.call('ZREMRANGEBYSCORE', K.sids, '-inf', now - tonumber(ttl))
end

-- How long the numbers of a minute are kept: those of a whole hour can always be told, ms.
local MINUTE_TTL_MS = 3900000

-- Counts something for ever.
local function total(field, amount)
    redis.call('HINCRBY', K.totals, field, amount or 1)
end

-- Counts something that happened in this minute, and for ever.
local function tally(now, field)
    total(field)
    local key = K.minute .. math.floor(now / 60000)
    if redis.call('HINCRBY', key, field, 1) == 1 then
        redis.call('PEXPIRE', key, MINUTE_TTL_MS)
    end
end

-- Number of the half octave that a time in ms lies in, as in `overview.py`.
local function half_octave(ms)
    local fraction, exponent = math.frexp(math.max(ms, 0))
    return 2 * exponent + (fraction >= 0.75 and 1 or 0)
end
