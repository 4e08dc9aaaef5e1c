-- Records Twilio's status of a call on the line, from a callback or a poll.
--
-- A status only moves forward: by the order of the states, and among those that
-- are not final by the sequence number. An outcome that is to be retried takes
-- the call from `completed` back to `delayed`.
--
-- KEYS[1]  active
-- ARGV[1]  job id
-- ARGV[2]  attempt token
-- ARGV[3]  SID
-- ARGV[4]  Twilio's status, or '' when it says nothing of it
-- ARGV[5]  rank of that status: the higher is the later one; FINAL ends the call
-- ARGV[6]  sequence number, or ''
-- ARGV[7]  duration in seconds, or ''
-- ARGV[8]  who answered, or ''
-- ARGV[9]  SIP response code, or ''
-- ARGV[10] price, or ''                     ARGV[11] and its currency
-- ARGV[12] outcomes to be retried if the call does not name its own, as JSON
-- ARGV[13] wait before such an attempt, ms   ARGV[14] and how many there may be
-- ARGV[15] when to poll while the call has not ended, ms from now; 0: never. After a callback, a
--          longer ring time is added
-- ARGV[16] when to poll for the price once it is over, ms from now; 0: never (again)
-- ARGV[17] how long a SID is remembered, ms
-- ARGV[18] SID of its recording, or ''       ARGV[19] and where that is
-- ARGV[20] least time between two calls to one number, ms
-- ARGV[21] how many conversations with a person are kept for the caps; 0: none
-- Returns  {ok, now, status, moved: 1 | 0, to be repeated: 1 | 0, id of the request or ''}
--          {again, now}       changed nothing: known, late, or of an attempt before the last
--          {undecided, now}   the attempt's outcome is not written yet: `finish` it first
--          {superseded, now}  the call belongs to another attempt than the job's, or to a job that
--                             was removed or forgotten: it is to be ended
--          {missing, now}     the job is gone, which proves nothing: no call is ended
-- Touches  job:<id>, waiting:<rank>, delayed, held:<kind>, active, leases, reconciling, completed,
--          failed, window, sids, status_polls, line, expiring, orphans, revoked, voicemails,
--          counts, dialing, busy_until, starts:<kind><period>:<digits>, redbeat:recurring:<id>,
--          schedule:<id>, runs:<id>, minute:<n>, totals, notify, due, outbox, campaign:<id>,
--          campaigns, open_campaigns, turns:<rank>, shares, resting, campaign_starts:<id>
--- @include "attempt"
--- @include "busy_number"
--- @include "campaign"
--- @include "clock"
--- @include "conversation"
--- @include "due"
--- @include "expiry"
--- @include "hang_up"
--- @include "held"
--- @include "hours"
--- @include "job"
--- @include "line"
--- @include "log"
--- @include "memory"
--- @include "number"
--- @include "ring"
--- @include "run"
--- @include "sids"
--- @include "starts"
--- @include "totals"
--- @include "voicemail"
--- @include "waiting"
--- @include "window"

local ANSWERED, FINAL = 3, 9
local now = now_ms()
local id, token, sid, status = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local rank, sequence = tonumber(ARGV[5]), tonumber(ARGV[6])
local key, mem = job_key(id), member(id)
local job = redis.call('HMGET', key, 'state', 'attempt', 'mark', 'sid', 'rank', 'seq', 'seen', 'answered',
    'finished', 'priority', 'ring', 'recording', 'data', 'hungup', 'c')
local gap_ms = tonumber(ARGV[20])
local poll_ms = tonumber(ARGV[15])
if sequence and math.max(rank, tonumber(job[5] or 0)) < ANSWERED then
    poll_ms = poll_ms + longer_ring_ms(job[11])
end
local known = redis.call('ZSCORE', K.sids, sid)

-- A call that belongs to no attempt at this job.
local function orphan()
    free_first()
    set_due(K.orphans, sid, now, now)
    redis.call('HINCRBY', K.counts, 'orphans', 1)
    -- Its further callbacks are repetitions.
    note_sid(sid, now, ARGV[17])
    return { C.superseded, now }
end

if not job[1] or job[2] ~= token or (job[4] and job[4] ~= sid) then
    local past = job[1] and redis.call('HGET', key, 'past')
    if past and ARGV[18] ~= '' then
        free_first()
        if note_past_recording(key, past, sid, ARGV[18], ARGV[19]) then
            log_event(id, 'recorded', { sid = sid, recording = ARGV[18], url = ARGV[19] })
        end
    end
    if known or (past and string.find(past, sid, 1, true)) then
        return { C.again, now }
    end
    if not job[1] and not redis.call('ZSCORE', K.revoked, token) then
        return { C.missing, now }
    end
    return orphan()
end
if job[3] then
    return { C.undecided, now }
end
free_first()

-- Its number is in use after all, unless another call is ringing it by now.
local function take_number()
    local number = number_of(job[13])
    local owner = redis.call('HGET', K.dialing, number)
    if not owner or redis.call('HEXISTS', job_key(owner), 'mark') == 0 then
        redis.call('HSET', K.dialing, number, id)
        hold_number(number, job[11], now, gap_ms)
    end
end

-- The attempt was abandoned, and its phone rings after all: it need not be repeated.
local function revive()
    local lease = redis.call('HGET', key, 'lease')
    if lease then
        -- Claimed, but not started: the start that was reserved is not made.
        give_start_back(lease, job[15], now)
    end
    release(mem)
    redis.call('ZREM', waiting_set(job[10], job[15]), mem)
    redis.call('ZREM', K.delayed, mem)
    stop_holding(key, mem)
    redis.call('ZREM', K.failed, mem)
    redis.call('ZREM', K.expiring, mem)
    redis.call('HDEL', key, 'lease', 'pos', 'notbefore', 'busy', 'reason', 'why')
    if not job[9] then
        redis.call('HINCRBY', key, 'attempts', 1)
        redis.call('HSET', key, 'finished', now)
    end
    redis.call('HSET', key, 'state', 'completed', 'ended', now, 'sid', sid, 'status', 'queued')
    redis.call('ZADD', K.completed, now, mem)
    set_due(K.status_polls, mem, now + poll_ms, now)
    note_line(mem, 0)
    take_number()
    if redis.call('HDEL', key, 'takenback') == 1 then
        -- It counts for the caps after all.
        local started = tonumber(redis.call('HGET', key, 'started'))
        note_time(person_of(number_of(job[13])), START, started, MOST_STARTS)
    end
    note_sid(sid, now, ARGV[17])
    log_event(id, 'revived', {
        attempt = redis.call('HGET', key, 'attempts'), sid = sid, status = 'queued', counted = not job[9],
    })
    job[1], job[4] = 'completed', sid
    if redis.call('HDEL', key, 'hangup') == 1 and rank < LINE_ENDED then
        -- While it was being placed, somebody wanted it to be ended.
        hang_up(id, now)
    end
end
local revived = not job[4]
if revived then
    revive()
end

-- How a call ended, from the point of view of a caller who wanted to reach a person.
local function outcome_of(last, who)
    return last == 'completed' and is_machine(who) and 'machine' or last
end

local function is_to_repeat(outcome)
    if job[1] ~= 'completed' or job[14] or is_stopped_run(id) or not may_be_placed(job[15]) then
        return false
    end
    -- A further attempt would be too late.
    if is_expired(redis.call('HGET', key, 'notafter'), now + tonumber(ARGV[13])) then
        return false
    end
    local wanted = cjson.decode(redis.call('HGET', key, 'data'))['retryOn'] or cjson.decode(ARGV[12])
    for _, each in ipairs(wanted) do
        if each == outcome then
            return tonumber(redis.call('HGET', key, 'repeats') or 0) < tonumber(ARGV[14])
        end
    end
    return false
end

local function repeat_call(outcome)
    hold_run(id)
    redis.call('ZREM', K.completed, mem)
    redis.call('HDEL', key, 'ended', 'round')
    redis.call('HINCRBY', key, 'repeats', 1)
    local how = outcome == 'machine' and 'was answered by a machine' or 'ended with ' .. outcome
    redis.call('HSET', key, 'reason', 'The call ' .. how .. '; it is made again.')
    delay(id, now + tonumber(ARGV[13]), false)
end

local changed = revived
local function note(field, value)
    if value ~= '' and redis.call('HGET', key, field) ~= value then
        redis.call('HSET', key, field, value)
        changed = true
    end
end

if sequence then
    local seen = job[7] or ','
    if string.find(seen, ',' .. ARGV[6] .. ',', 1, true) then
        return { C.again, now }
    end
    redis.call('HSET', key, 'seen', seen .. ARGV[6] .. ',')
    if sequence > tonumber(job[6] or -1) then
        redis.call('HSET', key, 'seq', ARGV[6])
    end
end
-- Only the first value of each field counts.
local before = tonumber(job[5] or 0)
local over = before == FINAL
local is_detected = not job[8] and ARGV[8] ~= ''
if is_detected then
    note('answered', ARGV[8])
end
local by = job[8] or ARGV[8]
note('price', ARGV[10])
note('unit', ARGV[11])

-- What Twilio said, for the log.
local function to_notify()
    local heard = { attempt = redis.call('HGET', key, 'attempts'), sid = sid, status = ARGV[4], seq = ARGV[6],
        duration = ARGV[7], answered_by = ARGV[8], sip = ARGV[9], price = ARGV[10], unit = ARGV[11] }
    for name, value in pairs(heard) do
        if value == '' then
            heard[name] = nil
        end
    end
    log_event(id, rank == FINAL and 'line_ended' or 'line', heard)
end

local in_order = rank == FINAL or not sequence or sequence > tonumber(job[6] or -1)
local moved = status ~= '' and rank > before and in_order
local repeated = false
if moved then
    changed = true
    redis.call('HSET', key, 'status', status, 'rank', ARGV[5])
    note_line(mem, rank)
    if rank >= LINE_ENDED then
        free_number(id, number_of(job[13]), now, gap_ms)
    end
    note('duration', ARGV[7])
    note('sip', ARGV[9])
end
if moved or is_detected then
    local person = person_of(number_of(job[13]))
    follow_conversation(key, person, moved and status or '', by, now, tonumber(ARGV[21]))
end
if changed then
    to_notify()
end
if ARGV[18] ~= '' and not job[12] then
    redis.call('HSET', key, 'recording', ARGV[18], 'recordingurl', ARGV[19])
    log_event(id, 'recorded', {
        attempt = redis.call('HGET', key, 'attempts'), sid = sid, recording = ARGV[18], url = ARGV[19],
    })
    changed = true
end
if moved then
    if rank == FINAL then
        over = true
        redis.call('HSET', key, 'over', now)
        local outcome = outcome_of(status, by)
        tally(now, outcome)
        repeated = is_to_repeat(outcome)
        if repeated then
            repeat_call(outcome)
        end
    end
end
if is_detected and over and not moved then
    -- The report of who answered came after the end.
    local outcome = outcome_of(redis.call('HGET', key, 'status'), by)
    repeated = outcome == 'machine' and is_to_repeat(outcome)
    if repeated then
        repeat_call(outcome)
    end
elseif is_detected and not over and string.find(by, '^machine_end') then
    -- The greeting is over: whatever is being spoken gives way.
    want_voicemail(id, now)
end

if not over and ARGV[15] ~= '0' then
    set_due(K.status_polls, mem, now + poll_ms, now)
elseif moved and not repeated and status == 'completed' and ARGV[10] == '' and ARGV[16] ~= '0' then
    set_due(K.status_polls, mem, now + tonumber(ARGV[16]), now)
elseif moved or repeated or ARGV[15] == '0' or ARGV[16] == '0' then
    redis.call('ZREM', K.status_polls, mem)
end
if not changed then
    return { C.again, now }
end
local request = string.match(job[13], '"requestId":"([^"\\]*)"}$') or ''
return { C.ok, now, redis.call('HGET', key, 'status'), moved and 1 or 0, repeated and 1 or 0, request }
