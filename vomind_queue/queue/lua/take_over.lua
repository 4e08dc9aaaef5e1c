-- Stores calls that another queue had accepted, each once however often it is offered.
--
-- A call comes as it stood there: waiting, delayed or failed, with the attempts that were
-- made. What it was called there is kept beside its new id, so that a repetition answers
-- with the same id and changes nothing.
--
-- KEYS[1]  counter of job ids
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  name of the other queue
-- ARGV[3]  how long its calls are remembered after the last one came, ms
-- ARGV[4]  ids up to this number were given out there, and are not given out here
-- ARGV[5]  latest start of a call that waits or is delayed, as in `expiry`
-- ARGV[6…] for each call: what it was called there, data (JSON), rank of its priority,
--          'waiting', 'delayed' or 'failed', its place there (the time it was wanted, is due
--          or failed), accepted ms, due ms or '', attempts, of them in this round,
--          start of the last one, ms, or '', reason or ''
-- Returns  {ok, now, id, …} or {late, now}
-- Touches  job:<id>, waiting:<rank>, delayed, failed, id, inherited:<name>, expiring, totals,
--          notify, due, outbox, campaign:<id>, campaigns, open_campaigns, turns:<rank>, shares,
--          resting, campaign_starts:<id>, window
--- @include "clock"
--- @include "expiry"
--- @include "job"
--- @include "log"
--- @include "notify"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local known = K.inherited .. ARGV[2]
if tonumber(ARGV[4]) > tonumber(redis.call('GET', K.last_id) or 0) then
    redis.call('SET', K.last_id, ARGV[4])
end

local SETS = { delayed = K.delayed, failed = K.failed }

local function store(id, data, rank, state, place, at, due, attempts, round, started, reason)
    local key = job_key(id)
    if state == 'delayed' and tonumber(place) <= now then
        state = 'waiting'
    end
    redis.call('HSET', key, 'data', data, 'priority', rank, 'state', state, 'at', at)
    local optional = { due = due, started = started, reason = reason }
    optional.attempts = attempts ~= '0' and attempts or ''
    optional.round = round ~= '0' and round or ''
    optional.ended = state == 'failed' and place or ''
    for field, value in pairs(optional) do
        if value ~= '' then
            redis.call('HSET', key, field, value)
        end
    end
    redis.call('ZADD', SETS[state] or K.waiting .. rank, place, member(id))
    if state ~= 'failed' then
        -- What waited there for long has its full time here.
        set_expiry(id, latest_start(ARGV[5], math.max(tonumber(place), now)), now)
    end
    log_event(id, 'accepted')
    if state == 'failed' then
        log_event(id, 'failed', { attempt = tonumber(attempts), reason = reason })
    end
end

local answer = { C.ok, now }
for i = 6, #ARGV, 11 do
    local id = redis.call('HGET', known, ARGV[i])
    if not id then
        id = string.format('%d', redis.call('INCR', K.last_id))
        redis.call('HSET', known, ARGV[i], id)
        store(id, unpack(ARGV, i + 1, i + 10))
    end
    answer[#answer + 1] = id
end
redis.call('PEXPIRE', known, ARGV[3])
notify()
return answer
