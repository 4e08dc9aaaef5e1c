-- Claims the calls that a worker may start now, the most urgent first.
--
-- Before that it rescues calls whose lease ran out, moves calls that have become
-- due, and drops a piece of a bulk that was never committed.
--
-- KEYS[1]  active
-- ARGV[1]  name of the worker
-- ARGV[2]  calls wanted; 0 when the worker is full and only keeps the queue moving
-- ARGV[3]  length of a lease, ms
-- ARGV[4]  starts allowed in a window by the worker's settings; 0 for no limit
-- ARGV[5]  length of the window, ms
-- ARGV[6]  prefix of the lease tokens, fresh for each call of this script
-- ARGV[7]  ranks of the priorities wanted, as digits
-- ARGV[8]  time between two probes of an open circuit, ms
-- ARGV[9]  '1' to be answered the calls themselves as well, for the calling rules; else ''
-- Returns  {now, ms until the next check or -1, passed on: 1 | 0, workers, id, lease, rank, round,
--          data or '', …}
--          workers: those that asked recently, this one included
--          passed on: calls that only other workers ask for wait, and one of those is notified
-- Touches  job:<id>, waiting:<rank>, delayed, held:<kind>, active, leases, expiring, reconciling,
--          window, rate, paused, breaker, staging, workers, totals, notify, due, outbox,
--          campaign:<id>, campaigns, open_campaigns, turns:<rank>, shares, resting,
--          campaign_starts:<id>, campaign_times, sweeping
--- @include "breaker"
--- @include "campaign_times"
--- @include "clock"
--- @include "due"
--- @include "held"
--- @include "holds"
--- @include "hours"
--- @include "job"
--- @include "log"
--- @include "memory"
--- @include "notify"
--- @include "parts"
--- @include "rate"
--- @include "totals"
--- @include "turns"
--- @include "waiting"
--- @include "window"

local now = now_ms()
local wanted = tonumber(ARGV[2])
local lease_ms = tonumber(ARGV[3])
local SWEEP = 100
-- A worker that did not ask for so long is gone.
local WORKER_GONE_MS = 30000

free_first()
redis.call('ZADD', K.workers, now, ARGV[1])
local workers = redis.call('ZCOUNT', K.workers, now - WORKER_GONE_MS, '+inf')

local function rescue_stalled()
    for _, mem in ipairs(redis.call('ZRANGEBYSCORE', K.leases, '-inf', now, 'LIMIT', 0, SWEEP)) do
        local id = id_of(mem)
        local job = redis.call('HMGET', job_key(id), 'state', 'mark')
        if job[1] ~= 'active' then
            redis.call('ZREM', K.leases, mem)
        elseif job[2] then
            redis.call('ZREM', K.leases, mem)
            set_due(K.reconciling, mem, now, now)
            log_event(id, 'in_doubt')
        else
            requeue(id, now, false)
        end
        if job[1] == 'active' then
            total('lease-lost')
        end
    end
end

-- Returns whether all that was due is moved.
local function move_due()
    local due = redis.call('ZRANGEBYSCORE', K.delayed, '-inf', now, 'WITHSCORES', 'LIMIT', 0, 10 * SWEEP)
    for i = 1, #due, 2 do
        local mem = due[i]
        local key = job_key(id_of(mem))
        local job = redis.call('HMGET', key, 'priority', 'pos', 'held', 'c')
        redis.call('ZREM', K.delayed, mem)
        -- A member without a record is ignored.
        if job[1] then
            redis.call('ZADD', waiting_set(job[1], job[4]), job[2] or due[i + 1], mem)
            redis.call('HSET', key, 'state', 'waiting')
            if job[4] then
                enter_turn(job[4], job[1])
            end
            if job[3] then
                stop_holding(key, mem)
            end
            log_event(id_of(mem), 'due')
        end
    end
    return #due < 20 * SWEEP
end

-- The soonest time in a set of such, if any.
local function head(key)
    return tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2])
end

local function drop_stale_bulk()
    local stale = redis.call('ZRANGEBYSCORE', K.staging, '-inf', now, 'LIMIT', 0, 1)[1]
    if not stale then
        return
    end
    local first, count = string.match(stale, '^(%d+):(%d+)$')
    first, count = tonumber(first), tonumber(count)
    local part = math.min(count, 5 * SWEEP)
    for id = first, first + part - 1 do
        redis.call('DEL', job_key(string.format('%d', id)))
    end
    redis.call('ZREM', K.staging, stale)
    if count > part then
        redis.call('ZADD', K.staging, now, string.format('%d:%d', first + part, count - part))
    end
end

-- Returns the soonest time in a set, after `act` has handled what was due.
local function after(key, act)
    local first = head(key)
    local all = true
    if first and first <= now then
        all = act()
        first = head(key)
    end
    return first, all
end

local lease_end = after(K.leases, rescue_stalled)
local due, all_moved = after(K.delayed, move_due)
if not all_moved then
    -- More is due than one script should move; no call starts before all are in order.
    return { now, 0, 0, workers }
end
local stale = after(K.staging, drop_stale_bulk)

-- Whether campaigns matter now. One command: as a rule there are none.
local by_turns = redis.call('EXISTS', K.turns .. 1, K.turns .. 2, K.turns .. 3, K.resting, K.campaign_times) > 0
if by_turns then
    follow_times(now)
    wake_resting(now)
end

-- Whether calls of a priority may be claimed.
local function waits(rank)
    return redis.call('ZCARD', K.waiting .. rank) > 0
        or by_turns and redis.call('EXISTS', K.turns .. rank) == 1
end

local function something_waits()
    return waits(1) or waits(2) or waits(3)
end

-- The soonest time at which something changes by itself.
local next_check = nil
local function check_at(time)
    if time and (not next_check or time < next_check) then
        next_check = time
    end
end

local room = math.huge
local max, window_ms = 0, 0
if any_hold() and redis.call('EXISTS', K.paused) == 1 then
    room = 0
end
local probe_at = breaker_next()
if probe_at and room > 0 then
    if now < probe_at then
        room = 0
        check_at(probe_at)
    else
        room = 1
    end
end
if room > 0 then
    max, window_ms = rate_in_force(ARGV[4], ARGV[5])
    if max > 0 then
        local used, reset = window_use(now, max, window_ms)
        room = math.max(0, math.min(room, max - used))
        if room == 0 then
            check_at(now + reset)
        end
    end
end

local answer = { now, -1, 0, workers }
local claimed = 0
-- Scores and members, to be added to the two sets at once.
local held, leased = {}, {}
local function claim(mem, rank, pos, campaign)
    claimed = claimed + 1
    local id = id_of(mem)
    local key = job_key(id)
    local lease = ARGV[6] .. claimed
    local round, data = redis.call('HGET', key, 'round'), ''
    if ARGV[9] == '1' then
        data = redis.call('HGET', key, 'data')
    end
    redis.call('HSET', key, 'state', 'active', 'lease', lease, 'pos', pos)
    held[2 * claimed - 1], held[2 * claimed] = now, mem
    leased[2 * claimed - 1], leased[2 * claimed] = now + lease_ms, mem
    log_event(id, 'taken')
    if max > 0 then
        note_start(lease, now, math.max(max, tonumber(ARGV[4])))
    end
    if campaign then
        count_call(key)
        local _, pace_window = pace_of(redis.call('HGET', K.campaign .. campaign, 'pace'))
        if pace_window then
            note_campaign_start(campaign, lease, now, pace_window)
        end
    end
    if probe_at then
        change_breaker('HSET', K.breaker, 'probe', lease, 'next', now + tonumber(ARGV[8]))
        check_at(now + tonumber(ARGV[8]))
    end
    local at = #answer
    answer[at + 1] = id
    answer[at + 2] = lease
    answer[at + 3] = rank
    answer[at + 4] = round or '0'
    answer[at + 5] = data
end

local allowed = math.min(wanted, room)

-- Claims one call after the other, each of whose turn it is.
local function claim_in_turn(rank)
    while claimed < allowed do
        local campaign, turn = next_turn(rank)
        if campaign == nil then
            return
        end
        local popped = redis.call('ZPOPMIN', waiting_set(rank, campaign), 1)
        if popped[1] then
            claim(popped[1], tostring(rank), popped[2], campaign)
            advance(campaign, rank, turn)
        else
            -- The last one was cancelled or changed.
            leave_turn(campaign, rank, as_turn(turn))
        end
    end
end

for rank = 1, 3 do
    if claimed >= allowed then
        break
    end
    if not string.find(ARGV[7], rank, 1, true) then
        -- Not this worker's, but more urgent than its own.
        if waits(rank) then
            break
        end
    elseif by_turns then
        claim_in_turn(rank)
    else
        local popped = redis.call('ZPOPMIN', K.waiting .. rank, allowed - claimed)
        for i = 1, #popped, 2 do
            claim(popped[i], tostring(rank), popped[i + 1])
        end
    end
end
if claimed > 0 then
    redis.call('ZADD', K.active, unpack(held))
    redis.call('ZADD', K.leases, unpack(leased))
end
if max > 0 and claimed >= room and something_waits() then
    local used, reset = window_use(now, max, window_ms)
    check_at(used >= max and now + reset)
end

-- Passes on a notification that was meant for workers of other priorities.
for rank = 1, 3 do
    local others = not string.find(ARGV[7], rank, 1, true)
    if others and claimed < room and waits(rank) then
        answer[3] = 1
    end
end
if claimed < room and (claimed >= wanted or answer[3] == 1) and something_waits() then
    notify()
end
check_at(due)
if by_turns then
    check_at(head(K.resting))
    check_at(head(K.campaign_times))
end
check_at(lease_end or claimed > 0 and now + lease_ms)
check_at(stale)
if next_check then
    answer[2] = math.max(0, next_check - now)
end
return answer
