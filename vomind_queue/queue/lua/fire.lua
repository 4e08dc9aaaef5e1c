-- Turns due ticks into jobs and moves their schedules on, both in one step.
--
-- KEYS[1]  schedules
-- ARGV[1]  deadline, unix ms: after it a tick might be later than its schedule allows
-- ARGV[2…] for each schedule: number, revision and tick that this was decided on; the tick
--          that fires, or ''; number of missed ticks; the last of them, newest first,
--          separated by spaces; the last tick of all these; the tick after it, or '';
--          the latest start of the call that fires, or ''
-- Returns  {ok, now, outcome, …} with an outcome for each schedule, or {late, now}
-- Outcomes 'fired', 'missed' (all were too late), 'skipped' (the previous run is still active),
--          'lost' (another process moved or changed the schedule; nothing is done)
-- Touches  job:<id>, waiting:<rank>, delayed, redbeat:recurring:<id>, schedules, old schedules,
--          runs:<id>, staging, expiring, totals, notify, due, outbox, campaign:<id>, campaigns,
--          open_campaigns, turns:<rank>, shares, resting, campaign_starts:<id>, window
--- @include "clock"
--- @include "enqueue"
--- @include "entry"
--- @include "expiry"
--- @include "job"
--- @include "occurrence"
--- @include "schedule"
--- @include "notify"
--- @include "told"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end

-- Occurrences that are shown, or have to be found by `unschedule`.
local SHOWN = 10
local function note_run(id, tick)
    local runs = K.runs .. id
    redis.call('LPUSH', runs, tick)
    for _ = 1, 3 do
        local oldest = redis.call('LINDEX', runs, SHOWN) and redis.call('LINDEX', runs, -1)
        if not oldest or is_open(id, oldest) then
            break
        end
        redis.call('RPOP', runs)
    end
end

local function make_job(id, tick, rank, data, latest)
    local job = occurrence(id, tick)
    if redis.call('EXISTS', job_key(job)) == 0 then
        redis.call('HSET', job_key(job), 'data', data, 'priority', rank, 'state', 'waiting',
            'at', now, 'due', tick)
        if latest ~= '' then
            set_expiry(job, tonumber(latest), now)
        end
        enqueue(job, rank, nil, now)
    end
end

local function fire(id, key, tick, record)
    local last = redis.call('LINDEX', K.runs .. id, 0)
    if record.overlap == 'skip' and last and is_open(id, last) then
        redis.call('HINCRBY', key, 'skipped', 1)
        remember_times(key, 'skippedat', tick)
        note_recurring(id, 'skipped')
        return 'skipped'
    end
    make_job(id, tick, record.priority, record.data, record.latest)
    note_run(id, tick)
    redis.call('HINCRBY', key, 'fired', 1)
    return 'fired'
end

local function move(id, revision, tick, fires, missed, missed_at, done, after, latest)
    local key = K.schedule .. id
    local found = redis.call('HMGET', key, 'rev', 'overlap', 'priority', 'data', 'maxruns')
    if found[1] ~= revision or tick_of(key) ~= tick then
        return 'lost'
    end
    local outcome = 'missed'
    if missed ~= '0' then
        redis.call('HINCRBY', key, 'missed', missed)
        remember_times(key, 'missedat', missed_at)
        note_recurring(id, 'missed')
    end
    if fires ~= '' then
        outcome = fire(id, key, fires, { overlap = found[2], priority = found[3], data = found[4],
            latest = latest })
    end
    redis.call('HSET', key, 'done', done)
    note_meta(key)
    local fired = tonumber(redis.call('HGET', key, 'fired') or 0)
    if found[5] and fired >= tonumber(found[5]) then
        after = ''
    end
    set_next(id, key, false, after)
    return outcome
end

local answer = { C.ok, now }
local to_notify = false
for i = 2, #ARGV, 9 do
    local outcome = move(unpack(ARGV, i, i + 8))
    to_notify = to_notify or outcome == 'fired'
    answer[#answer + 1] = outcome
end
if to_notify then
    notify()
end
return answer
