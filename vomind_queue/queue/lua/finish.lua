-- Ends an attempt. Nothing else ends a call that was asked for at Twilio.
--
-- KEYS[1]  active
-- ARGV[1]  job id
-- ARGV[2]  attempt token
-- ARGV[3]  outcome: completed, failed, again, postponed, account or unknown
-- ARGV[4]  reason in words, or ''
-- ARGV[5]  SID that Twilio gave, or ''
-- ARGV[6]  Twilio's status of it, or ''
-- ARGV[7]  whether Twilio refused to process (feeds the breaker): '1', else ''
-- ARGV[8]  earliest next attempt, ms from now (again; unknown: the next check)
-- ARGV[9]  time until an open circuit is probed again, ms
-- ARGV[10] completed calls kept: age ms     ARGV[11] and number
-- ARGV[12] failed calls kept: age ms        ARGV[13] and number
-- ARGV[14] how long a SID is remembered, ms
-- ARGV[15] '1' when the caller holds the lease and will delay the call itself (`defer`)
-- ARGV[16] when to poll the call's status for the first time, ms from now; a longer ring time is
--          added; 0: at once
-- ARGV[17] rank of Twilio's status, as in `status_callback`; a final one has still to be reported
-- ARGV[18] kind of the failure, or ''
-- ARGV[19] '1' when Twilio's capacity was used up: the call waits longer each time
-- ARGV[20] how long after its start an unknown outcome is reconciled, ms; a longer ring time is added
-- ARGV[21] least time between two calls to one number, ms
-- Outcomes completed  Twilio took it
--          failed     given up
--          again      counted; the caller defers it, or it is delayed here
--          postponed  not counted; back to its place, or delayed by ARGV[8]
--          account    not counted; back to its place, and the queue pauses
--          unknown    to be reconciled
-- Returns  {ok | again | superseded | missing, now, circuit open: 1 | 0, not counted: 1 | 0}
--          `again`: the same outcome was written before, by a repetition of this command
-- Touches  job:<id>, waiting:<rank>, delayed, held:<kind>, active, leases, reconciling, completed,
--          failed, window, paused, breaker, unanswered, counts, dialing, busy_until,
--          starts:<kind><period>:<digits>, sids, status_polls, line, expiring, minute:<n>, totals,
--          gone:<id>, notify, due, outbox, outbox:forgotten, orphans, revoked, campaign:<id>,
--          campaigns, open_campaigns, turns:<rank>, shares, resting, campaign_starts:<id>
--- @include "breaker"
--- @include "busy_number"
--- @include "clock"
--- @include "due"
--- @include "erase"
--- @include "events"
--- @include "hang_up"
--- @include "held"
--- @include "history"
--- @include "job"
--- @include "line"
--- @include "log"
--- @include "memory"
--- @include "number"
--- @include "ring"
--- @include "sids"
--- @include "starts"
--- @include "totals"
--- @include "notify"

local now = now_ms()
local id, attempt, outcome, reason, sid = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local key = job_key(id)
local mem = member(id)
local job = redis.call('HMGET', key, 'state', 'attempt', 'mark', 'attempts', 'reason', 'data',
    'forgotten', 'ring', 'notafter', 'hangup')
-- A known SID, though the job may be gone by now: a repetition.
if sid ~= '' and (not job[3] or job[2] ~= attempt) and redis.call('ZSCORE', K.sids, sid) then
    return { C.again, now, 0, 0 }
end
if not job[1] then
    if not redis.call('ZSCORE', K.revoked, attempt) then
        return { C.missing, now, 0, 0 }
    end
    -- A repetition, perhaps: without a ring there is nothing to end.
    return { sid ~= '' and C.superseded or C.again, now, 0, 0 }
end
if job[2] ~= attempt then
    return { C.superseded, now, 0, 0 }
end
if not job[3] then
    local same = redis.call('HGET', key, 'sid')
    if sid ~= '' and same ~= sid then
        return { C.superseded, now, 0, 0 }
    end
    return { C.again, now, 0, 0 }
end
local number, gap_ms = number_of(job[6]), tonumber(ARGV[21])
if outcome == 'unknown' or (outcome == 'completed' and not job[7]) then
    free_first()
else
    -- While its marker is set, no other call gets its number.
    free_first('HDEL', K.dialing, number)
end

-- The circuit breaker counts refusals in a row over the whole queue.
local was_open = breaker_next() ~= nil
local wait = tonumber(ARGV[8])
if ARGV[7] == '1' then
    change_breaker('HINCRBY', K.breaker, 'refusals', 1)
    if breaker_next() then
        change_breaker('HSET', K.breaker, 'next', now + tonumber(ARGV[9]))
    end
    if was_open and (outcome == 'again' or outcome == 'failed') then
        -- Refused while the circuit was open: not the call's fault, so it does not count.
        outcome, wait = 'postponed', 0
    end
elseif breaker()[1] and (outcome == 'completed' or outcome == 'failed') then
    change_breaker('DEL', K.breaker)
    if was_open then
        notify()
    end
end
-- An attempt that was not sent, or is given back, says nothing about Twilio.
if ARGV[18] == 'unknown' then
    redis.call('HINCRBY', K.unanswered, 'attempts', 1)
    redis.call('HSETNX', K.unanswered, 'since', job[3])
elseif outcome ~= 'unknown' and (outcome ~= 'postponed' or ARGV[18] == 'refused') then
    redis.call('HDEL', K.unanswered, 'attempts', 'since')
end
-- The first wait of a call that found Twilio's capacity used up, ms; it doubles this often.
local CROWDED_MS, DOUBLINGS = 1000, 5
if ARGV[19] == '1' then
    local times = math.min(redis.call('HINCRBY', key, 'crowded', 1) - 1, DOUBLINGS)
    wait = math.max(wait, CROWDED_MS * 2 ^ times)
    redis.call('HSET', K.counts, 'crowded', string.format('%.0f', now + wait))
end
local open = breaker_next() and 1 or 0
if ARGV[18] ~= '' then
    total('failure:' .. ARGV[18])
end

if outcome == 'account' and redis.call('EXISTS', K.paused) == 0 then
    redis.call('HSET', K.paused, 'by', 'system', 'at', now, 'reason', reason)
    note_event('queue.paused', { by = 'system', reason = reason })
end

if job[7] and outcome ~= 'unknown' then
    -- Its person was forgotten meanwhile: the call is ended, and nothing is kept or tried again.
    if sid ~= '' then
        note_sid(sid, now, ARGV[14])
        set_due(K.orphans, sid, now, now)
    end
    release(mem)
    forget_history(person_of(number), now)
    erase(key, id, now)
    return { C.ok, now, open, 0 }
end
-- Twilio certainly placed no call, and that was never unknown: the start does not count for the caps.
local rang_nobody = ARGV[18] ~= '' and ARGV[18] ~= 'unknown' or outcome == 'postponed'
if rang_nobody and outcome ~= 'unknown' and take_time_back(person_of(number), START, tonumber(job[3])) then
    redis.call('HSET', key, 'takenback', '1')
end

local attempts = tonumber(job[4] or 0) + 1
local ends = outcome == 'completed' or outcome == 'failed'
if outcome ~= 'unknown' and not ends then
    redis.call('HDEL', key, 'mark', 'callbacks', 'looks', 'horizon')
end
if outcome == 'completed' then
    if job[5] then
        redis.call('HDEL', key, 'reason')
    end
elseif reason ~= '' then
    redis.call('HSET', key, 'reason', reason)
end

-- Removes what the record says of a call that is held; the rest are fields and values.
local function close(state, set, age, keep, ...)
    release(mem)
    redis.call('HDEL', key, 'mark', 'callbacks', 'looks', 'horizon', 'lease', 'pos', 'notbefore', 'round',
        'crowded')
    redis.call('HSET', key, 'state', state, 'attempts', attempts, 'finished', now, ...)
    redis.call('ZADD', set, now, mem)
    if job[9] then
        redis.call('ZREM', K.expiring, mem)
    end
    trim(set, age, keep)
end

-- How the attempt ended, for the log.
local function note(kind)
    log_event(id, kind, {
        attempt = attempts,
        sid = sid ~= '' and sid or nil,
        status = ARGV[6] ~= '' and ARGV[6] or nil,
        reason = reason ~= '' and reason or nil,
    })
end

if outcome == 'completed' then
    note('completed')
    note_sid(sid, now, ARGV[14])
    local poll_ms = tonumber(ARGV[16])
    set_due(K.status_polls, mem, now + (poll_ms > 0 and poll_ms + longer_ring_ms(job[8]) or 0), now)
    note_line(mem, tonumber(ARGV[17]))
    if tonumber(ARGV[17]) < LINE_ENDED then
        hold_number(number, job[8], now, gap_ms)
    else
        free_number(id, number, now, gap_ms)
    end
    local placed = { 'sid', sid, 'status', ARGV[6] }
    if ARGV[17] ~= '0' then
        placed[5], placed[6] = 'rank', ARGV[17]
    end
    close('completed', K.completed, ARGV[10], ARGV[11], unpack(placed))
    if job[10] then
        redis.call('HDEL', key, 'hangup')
        hang_up(id, now)
    end
elseif outcome == 'failed' then
    note('failed')
    tally(now, 'not-placed')
    close('failed', K.failed, ARGV[12], ARGV[13], 'ended', now)
elseif outcome == 'again' then
    note('refused')
    redis.call('HSET', key, 'attempts', attempts, 'finished', now)
    redis.call('HINCRBY', key, 'round', 1)
    if ARGV[15] == '1' and redis.call('ZSCORE', K.leases, mem) then
        redis.call('HSET', key, 'notbefore', now + wait)
    else
        delay(id, now + wait, false)
    end
elseif outcome == 'postponed' then
    note('postponed')
    if wait > 0 then
        delay(id, now + wait, true)
    else
        requeue(id, now, true)
    end
elseif outcome == 'account' then
    note('postponed')
    requeue(id, now, true)
elseif outcome == 'unknown' then
    redis.call('ZREM', K.leases, mem)
    redis.call('HINCRBY', key, 'looks', 1)
    local horizon_ms = tonumber(ARGV[20]) + longer_ring_ms(job[8])
    local reconciled_by = string.format('%.0f', tonumber(job[3]) + horizon_ms)
    redis.call('HSET', key, 'horizon', reconciled_by)
    if tonumber(reconciled_by) > tonumber(redis.call('HGET', K.unanswered, 'until') or 0) then
        redis.call('HSET', K.unanswered, 'until', reconciled_by)
    end
    if not redis.call('ZSCORE', K.reconciling, mem) then
        note('in_doubt')
    end
    set_due(K.reconciling, mem, now + wait, now)
end
return { C.ok, now, open, outcome ~= ARGV[3] and 1 or 0 }
