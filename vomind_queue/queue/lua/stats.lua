-- Numbers of jobs and what governs the starts, at one moment. Writes nothing.
--
-- KEYS[1]  active
-- ARGV[1]  starts allowed in a window by the settings; 0 for no limit
-- ARGV[2]  length of the window, ms
-- ARGV[3]  a worker not seen for this long is gone, ms
-- ARGV[4…] kinds of rules that hold calls
-- Returns  {now, high, normal, low, active, completed, failed, delayed, unknown outcomes, workers,
--           max, window, used, reset ms, overridden: 1 | 0, circuit's next probe or 0,
--           recurring calls with a next tick, when a scheduler had handled all or 0, orphaned calls,
--           until when a call waits for Twilio's capacity or 0,
--           {outbox's entries, age of the oldest ms, dead letters, shipper active: 1 | 0,
--            lost field, number, …}, {bytes of memory used, maxmemory},
--           {calls on the line that Twilio is dialing, that ring, whose person talks},
--           {attempts in a row without a clear answer, when the first began or 0, by when all unknown
--            outcomes are reconciled or 0, since when the first waiting call waits or 0},
--           {calls that each kind of rule holds}, {what each worker reports, or ''},
--           which key the digests on the do-not-call list were made with or '',
--           starts that somebody let happen against the rules,
--           when a call last waited for that list to be restored or 0,
--           paused by, paused at, reason}; the last three only while paused
-- Touches  waiting:<rank>, delayed, held:<kind>, active, reconciling, completed, failed, window,
--          rate, paused, breaker, unanswered, line, counts, schedules, old schedules, identities,
--          scheduler, workers, worker_report:<name>, do_not_call, do_not_call:entries, totals, outbox,
--          open_campaigns
--- @include "breaker"
--- @include "clock"
--- @include "memory_use"
--- @include "rate"
--- @include "waiting"
--- @include "window"

local now = now_ms()
local max, window = rate_in_force(ARGV[1], ARGV[2])
local used, reset = 0, 0
if max > 0 then
    used, reset = window_use(now, max, window)
end

-- How far the call log is behind.
local function outbox_state()
    local oldest = now
    for _, stream in ipairs({ K.outbox_details, K.outbox_finals }) do
        local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
        if first then
            oldest = math.min(oldest, cjson.decode(first[2][2])[2])
        end
    end
    return {
        redis.call('XLEN', K.outbox_details) + redis.call('XLEN', K.outbox_finals),
        now - oldest,
        redis.call('HLEN', K.outbox_dead),
        redis.call('EXISTS', K.outbox_leader),
        unpack(redis.call('HGETALL', K.outbox_lost)),
    }
end

-- RedBeat's ordinary tasks are among the recurring calls, each of which has a dedup key.
local function recurring_calls()
    local all = redis.call('ZCARD', K.schedules) + redis.call('ZCARD', K.old_schedules)
    local ordinary = math.max(all - redis.call('HLEN', K.dedup_keys), 0)
    return math.max(redis.call('ZCOUNT', K.schedules, 0, '+inf') - ordinary, 0)
        + redis.call('ZCOUNT', K.old_schedules, '-inf', '(+inf')
end

-- Since when the call waits that waits for longest; 0 for none. Those of campaigns wait as they are paced.
local function oldest_waiting()
    local oldest = math.huge
    for rank = 1, 3 do
        local head = redis.call('ZRANGE', K.waiting .. rank, 0, 0, 'WITHSCORES')[2]
        oldest = math.min(oldest, tonumber(head) or math.huge)
    end
    return oldest < math.huge and oldest or 0
end

local unanswered = redis.call('HMGET', K.unanswered, 'attempts', 'since', 'until')
local answer = {
    now,
    waiting_count(1),
    waiting_count(2),
    waiting_count(3),
    redis.call('ZCARD', K.active),
    redis.call('ZCARD', K.completed),
    redis.call('ZCARD', K.failed),
    redis.call('ZCARD', K.delayed),
    redis.call('ZCARD', K.reconciling),
    redis.call('ZCOUNT', K.workers, now - tonumber(ARGV[3]), '+inf'),
    max, window, used, reset,
    redis.call('EXISTS', K.rate),
    breaker_next() or 0,
    recurring_calls(),
    tonumber(redis.call('HGET', K.scheduler, 'seen') or 0),
    tonumber(redis.call('HGET', K.counts, 'orphans') or 0),
    tonumber(redis.call('HGET', K.counts, 'crowded') or 0),
    outbox_state(),
    memory_use(),
    {
        redis.call('ZCOUNT', K.line, 0, 1),
        redis.call('ZCOUNT', K.line, 2, 2),
        redis.call('ZCOUNT', K.line, 3, 3),
    },
    {
        tonumber(unanswered[1] or 0),
        tonumber(unanswered[2] or 0),
        tonumber(unanswered[3] or 0),
        oldest_waiting(),
    },
}
local held = {}
for i = 4, #ARGV do
    held[i - 3] = redis.call('ZCOUNT', K.held .. ARGV[i], now, '+inf')
end
answer[#answer + 1] = held
local reports = {}
for i, name in ipairs(redis.call('ZRANGEBYSCORE', K.workers, now - tonumber(ARGV[3]), '+inf')) do
    reports[i] = redis.call('GET', K.worker_report .. name) or ''
end
answer[#answer + 1] = reports
answer[#answer + 1] = redis.call('HGET', K.do_not_call_entries, '#') or ''
answer[#answer + 1] = tonumber(redis.call('HGET', K.totals, 'event:overridden') or 0)
local is_whole = redis.call('ZSCORE', K.do_not_call, 'restored')
answer[#answer + 1] = not is_whole and tonumber(redis.call('HGET', K.counts, 'nolist')) or 0
local pause = redis.call('HMGET', K.paused, 'by', 'at', 'reason')
if pause[1] then
    for i = 1, 3 do
        answer[#answer + 1] = pause[i]
    end
end
return answer
