-- Makes the last check before a phone is rung, and writes the dial marker.
--
-- A call that must not start now is given back here: it keeps its place, and no attempt counts.
--
-- KEYS[1]  active
-- ARGV[1]  job id
-- ARGV[2]  lease token
-- ARGV[3]  attempt token, fresh
-- ARGV[4]  starts allowed in a window by the worker's settings; 0 for no limit
-- ARGV[5]  length of the window, ms
-- ARGV[6]  how long a call waits for another one to the same number at first, ms
-- ARGV[7]  whether the request will ask for status callbacks: 1 | 0
-- ARGV[8]  how long a phone rings where the call does not say, ms
-- ARGV[9]  failed calls kept: age ms       ARGV[10] and number
-- ARGV[11] number that the call comes from unless it names one; '' while Twilio is not set up
-- ARGV[12] '1' where the do-not-call list must have been restored, else ''
-- ARGV[13] parts of the key of its digests  ARGV[14]  ARGV[15], or ''
-- ARGV[16] least time between two calls to one number, ms
-- ARGV[17] how many starts of calls to a person are kept for the caps; 0: none
-- ARGV[18] '' without calling rules, else the kind of rule that holds the call outside its hours
-- ARGV[19] its hours, `start-end` in unix ms, the soonest first
-- ARGV[20] when the rules are checked again if none are left, ms from now
-- ARGV[21] its caps: kind of event, then `most/window in ms`, the longest window first
-- ARGV[22] version of the closed days that these take into account
-- ARGV[23] what names the rules in the call log, or ''
-- ARGV[24] '' where all rules hold for the call, else who lifted some, as JSON: by, reason, kind
-- ARGV[25] hours and                      ARGV[26] caps that would hold then
-- ARGV[27] '1' if they take into account what happened to the person, else ''
-- ARGV[28] hours of its campaign that they take into account, or ''
-- Returns  {ok, now, data, attempts so far, round, how long it may ring in ms, number that it comes from,
--          latest start or ''}, {unjudged, now, version of the closed days, {{start of a call to the
--          person, …}, {conversation, …}, {refusal, …}}, hours of its
--          campaign or '', data} or
--          {lost | paused | preempted | limited | circuit_open | campaign | busy | held | expired |
--          do_not_call | no_list, now}
--          `expired`, `do_not_call`: it has ended, because its latest start has passed or its number
--          is on the list
-- Touches  job:<id>, waiting:<rank>, delayed, held:<kind>, active, leases, reconciling, failed,
--          line, window, rate, paused, breaker, dialing, busy_until, status_polls, counts, do_not_call,
--          do_not_call:entries, closed_days, starts:<kind><period>:<digits>, expiring, minute:<n>,
--          totals, gone:<id>, notify, due, outbox, campaign:<id>, campaigns, open_campaigns,
--          turns:<rank>, shares, resting, campaign_starts:<id>
--- @include "attempt"
--- @include "breaker"
--- @include "busy_number"
--- @include "campaign"
--- @include "clock"
--- @include "do_not_call"
--- @include "due"
--- @include "end_listed"
--- @include "expire"
--- @include "expiry"
--- @include "held"
--- @include "holds"
--- @include "hours"
--- @include "job"
--- @include "log"
--- @include "memory"
--- @include "notify"
--- @include "number"
--- @include "rate"
--- @include "ring"
--- @include "starts"
--- @include "totals"
--- @include "turns"
--- @include "window"

-- The wait doubles until a call has found its number taken this often.
local LONGEST_WAIT = 6
-- How long a call waits if the do-not-call list cannot be read, ms, and its reason meanwhile.
local NO_LIST_MS = 1000
local NO_LIST = 'The do-not-call list cannot be read; no call starts before that.'
local now = now_ms()
local id, lease, attempt = ARGV[1], ARGV[2], ARGV[3]
local key = job_key(id)
local mem = member(id)
local job = redis.call('HMGET', key, 'state', 'lease', 'mark', 'attempt', 'priority', 'data',
    'attempts', 'round', 'pos', 'due', 'busy', 'notbefore', 'ring', 'notafter', 'from', 'hangup',
    'reason', 'takenback', 'c')

local function started(at, ring_ms, from)
    return { C.ok, at, job[6], tonumber(job[7] or 0), tonumber(job[8] or 0), ring_ms, from, job[14] or '' }
end

if job[1] ~= 'active' or job[2] ~= lease then
    return { C.lost, now }
end
if job[3] then
    -- The marker is set: by a repetition of this very command, or by another attempt.
    if job[4] == attempt then
        return started(tonumber(job[3]), tonumber(job[13] or USUAL_RING_MS), job[15] or '')
    end
    return { C.lost, now }
end
local lease_end = redis.call('ZSCORE', K.leases, mem)
if not lease_end or tonumber(lease_end) <= now then
    return { C.lost, now }
end

-- A probe that is not sent leaves its place to another call.
local function release_probe()
    if breaker_next() and redis.call('HGET', K.breaker, 'probe') == lease then
        change_breaker('HSET', K.breaker, 'next', now)
        notify()
    end
end

-- When a call that waits for its number is looked at again.
local function look_again_at(owner, taken)
    -- The waits grow, so that many calls to one number do not delay the others.
    local times = math.min(redis.call('HINCRBY', key, 'busy', 1), LONGEST_WAIT)
    if taken < math.huge then
        if not redis.call('ZSCORE', K.line, member(owner)) then
            -- That call has ended; the gap after it has not.
            return taken
        end
        local is_heard_of = times == 1 or redis.call('HEXISTS', job_key(owner), 'seen') == 1
        if not is_heard_of or times == LONGEST_WAIT then
            -- No callback may report the end of that call: Twilio is asked.
            set_due(K.status_polls, member(owner), now, now)
        end
    end
    return math.min(taken, now + tonumber(ARGV[6]) * 2 ^ (times - 1))
end

free_first()
if is_expired(job[14], now) then
    release_probe()
    expire(id, ARGV[9], ARGV[10])
    return { C.expired, now }
end
local above = {}
for rank = 1, tonumber(job[5]) - 1 do
    above[2 * rank - 1], above[2 * rank] = K.waiting .. rank, K.turns .. rank
end
if any_hold(unpack(above)) then
    if redis.call('EXISTS', K.paused) == 1 then
        requeue(id, now, false)
        return { C.paused, now }
    end
    if breaker_next() and redis.call('HGET', K.breaker, 'probe') ~= lease then
        requeue(id, now, false)
        return { C.circuit_open, now }
    end
    if #above > 0 and redis.call('EXISTS', unpack(above)) > 0 then
        release_probe()
        requeue(id, now, false)
        return { C.preempted, now }
    end
end

-- Whether its campaign lets it start; one with a pace has reserved its start.
local campaign = job[19]
local pace, pace_window, is_reserved = nil, nil, nil
local campaign_hours = ''
local function is_in_turn()
    if not is_running(campaign, now) then
        return false
    end
    local found = redis.call('HMGET', K.campaign .. campaign, 'pace', 'hours')
    pace, pace_window = pace_of(found[1])
    campaign_hours = found[2] or ''
    local starts = K.campaign_starts .. campaign
    local reserved = pace and tonumber(redis.call('ZSCORE', starts, lease) or 0)
    is_reserved = pace and reserved > now - pace_window - WINDOW_GUARD_MS
    return not pace or is_reserved
        or window_use(now, pace, pace_window, starts) < pace
end
if campaign and not is_in_turn() then
    release_probe()
    requeue(id, now, false)
    return { C.campaign, now }
end

local number = number_of(job[6])
local said = list_says(number, unpack(ARGV, 12, 15))
if said == 'unknown' then
    release_probe()
    give_start_back(lease, job[19], now)
    if job[17] ~= NO_LIST then
        keep_why(key, job[17])
        redis.call('HSET', key, 'reason', NO_LIST)
    end
    redis.call('HSET', K.counts, 'nolist', now)
    delay(id, now + NO_LIST_MS, true)
    notify()
    return { C.no_list, now }
end
if said == 'listed' then
    release_probe()
    end_listed(id, ARGV[9], ARGV[10])
    -- Another call can use the start that was reserved for it.
    notify()
    return { C.do_not_call, now }
end

local starts_kept, person = tonumber(ARGV[17]), nil
if starts_kept > 0 then
    person = person_of(number)
end
local opens, room_at = now, now
if ARGV[18] ~= '' then
    opens = opens_at(ARGV[19], now)
    room_at = ARGV[21] ~= '' and free_at(person, ARGV[21], now) or now
end
-- Whether hours may have changed since they were applied: by a day that was closed or opened, or by its
-- campaign. `version` of the closed days.
local function is_outdated(version)
    return ARGV[28] ~= campaign_hours
        or ARGV[18] ~= '' and (ARGV[22] ~= version or (room_at > now and ARGV[27] == ''))
end
if ARGV[18] ~= 'rules-behind' and (ARGV[18] ~= '' or campaign_hours ~= '') then
    local version = redis.call('HGET', K.closed_days, 'version') or ''
    if is_outdated(version) then
        local history = person and history_of(person, now) or {}
        return { C.unjudged, now, version, history, campaign_hours, job[6] }
    end
end

-- A rule keeps the call from ringing before `due`.
local function hold(by, due)
    release_probe()
    give_start_back(lease, job[19], now)
    delay(id, due, true, by)
    redis.call('HSET', key, 'held', by)
    redis.call('ZADD', K.held .. by, due, mem)
    notify()
    return { C.held, now }
end

-- The caps have no room before `room_at`, perhaps outside the hours.
local function hold_for_room()
    return hold('cap', opens_at(ARGV[19], room_at) or room_at)
end
if not opens then
    return hold(ARGV[18], now + tonumber(ARGV[20]))
elseif opens ~= now then
    return room_at > now and hold_for_room() or hold(ARGV[18], opens)
end

local free = redis.call('HSETNX', K.dialing, number, id) == 1
-- It leaves its number to another call.
local function leave_number()
    if free then
        redis.call('HDEL', K.dialing, number)
    end
end
local owner = not free and redis.call('HGET', K.dialing, number)
local taken = owner and taken_until(number, owner, id, now, tonumber(ARGV[16]))
if taken then
    release_probe()
    give_start_back(lease, job[19], now)
    delay(id, look_again_at(owner, taken), true)
    notify()
    return { C.busy, now }
end
if room_at > now then
    -- After the check of its number: a start that is under way may still be taken back.
    leave_number()
    return hold_for_room()
end

local max, window = rate_in_force(ARGV[4], ARGV[5])
if max > 0 then
    local reserved = tonumber(redis.call('ZSCORE', K.window, lease) or 0)
    if reserved <= now - window - WINDOW_GUARD_MS and window_use(now, max, window) >= max then
        leave_number()
        release_probe()
        requeue(id, now, false)
        return { C.limited, now }
    end
end
note_start(lease, now, math.max(max, tonumber(ARGV[4])))
if pace then
    note_campaign_start(campaign, lease, now, pace_window)
    -- It was claimed before there was a pace, or long ago.
    if not is_reserved and not has_room(campaign) then
        leave_turns(campaign)
    end
end

if job[7] then
    archive(key)
end
if job[11] or job[12] or job[16] then
    -- What was to be ended was the attempt before.
    redis.call('HDEL', key, 'busy', 'notbefore', 'hangup')
end
local from = sender_of(job[6]) or ARGV[11]
local marked = { 'attempt', attempt, 'mark', now, 'started', now, 'callbacks', ARGV[7] }
if from ~= '' then
    marked[9], marked[10] = 'from', from
end
redis.call('HSET', key, unpack(marked))
local ring_ms = ring_of(job[6], ARGV[8])
keep_ring(key, ring_ms, job[13])
if not free then
    redis.call('HSET', K.dialing, number, id)
    redis.call('ZREM', K.busy_until, number)
end
local waited = math.max(now - tonumber(job[9] or now), 0)
tally(now, 'w' .. half_octave(waited))
total('waited-ms', waited)
if job[10] and not job[7] then
    local late_ms = math.max(now - tonumber(job[10]), 0)
    total('l' .. half_octave(late_ms))
    total('late-ms', late_ms)
end
-- Which rules would have held the call, of those that were lifted.
local function lifted()
    local found = {}
    if opens_at(ARGV[25], now) ~= now then
        found[1] = cjson.decode(ARGV[24]).kind
    end
    if ARGV[26] ~= '' and free_at(person, ARGV[26], now) > now then
        found[#found + 1] = 'cap'
    end
    return table.concat(found, ', ')
end
local against = ARGV[24] ~= '' and lifted() or ''
if person then
    note_time(person, START, now, starts_kept)
end
if job[18] then
    redis.call('HDEL', key, 'takenback')
end
local rules = ARGV[23] ~= '' and ARGV[23] or nil
log_event(id, 'started', { attempt = tonumber(job[7] or 0) + 1, rules = rules })
if against ~= '' then
    local signed = cjson.decode(ARGV[24])
    log_event(id, 'overridden', {
        attempt = tonumber(job[7] or 0) + 1, rules = against, by = signed.by, reason = signed.reason,
    })
end
return started(now, ring_ms, from)
