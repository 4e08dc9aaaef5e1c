-- Puts a failed call back into the queue with a full set of attempts.
--
-- A call whose own latest start has passed needs another one.
--
-- KEYS[1]  failed
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  job id
-- ARGV[3]  who wants it, or ''
-- ARGV[4]  names the request: one that has retried the call already does nothing; or ''
-- ARGV[5]  latest start as in `includes/expiry.lua`: the new one, or that of calls that name none
-- ARGV[6]  data that the new one was decided on, or '' where nothing is changed
-- ARGV[7]  data with the new one, or ''
-- ARGV[8]  '1' if who wants it may lift rules, else ''
-- Returns  {ok, now}, {wrong_state, now, state}, {missing | late | mismatch | expired | lifted, now},
--          {campaign, now, its id, its state}: it was cancelled or deleted
-- Touches  job:<id>, waiting:<rank>, failed, expiring, redbeat:recurring:<id>, schedule:<id>,
--          runs:<id>, staging, totals, notify, due, outbox, campaign:<id>, campaigns,
--          open_campaigns, turns:<rank>, shares, resting, campaign_starts:<id>, window
--- @include "attempt"
--- @include "campaign"
--- @include "clock"
--- @include "expiry"
--- @include "job"
--- @include "log"
--- @include "memory"
--- @include "notify"
--- @include "run"
--- @include "state"
--- @include "waiting"

-- Whether rules are lifted for a call. The app's own metadata may have such a field, too.
local function is_lifted(data)
    return string.find(data, '"override":{', 1, true) and cjson.decode(data)['override']
end

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local state = state_of(ARGV[2])
if not state then
    return { C.missing, now }
end
local key = job_key(ARGV[2])
if ARGV[4] ~= '' and redis.call('HGET', key, 'retriedby') == ARGV[4] then
    return { C.ok, now }
end
if state ~= 'failed' then
    return { C.wrong_state, now, state }
end
local mem = member(ARGV[2])
local data, latest, campaign = unpack(redis.call('HMGET', key, 'data', 'notafter', 'c'))
if not may_be_placed(campaign) then
    return { C.campaign, now, campaign, campaign_state(campaign) }
end
if ARGV[6] ~= '' and ARGV[6] ~= data then
    return { C.mismatch, now }
end
if ARGV[8] == '' and is_lifted(data) then
    return { C.lifted, now }
end
if ARGV[6] ~= '' or not cjson.decode(data)['notAfter'] then
    latest = latest_start(ARGV[5], now)
end
if is_expired(latest, now) then
    return { C.expired, now }
end
free_first()
if ARGV[6] ~= '' then
    redis.call('HSET', key, 'data', ARGV[7])
end
set_expiry(ARGV[2], latest, now)
redis.call('ZREM', K.failed, mem)
keep_why(key, redis.call('HGET', key, 'reason'))
redis.call('HDEL', key, 'round', 'repeats', 'reason', 'ended', 'notbefore')
redis.call('HSET', key, 'state', 'waiting')
redis.call('ZADD', waiting_set(redis.call('HGET', key, 'priority'), campaign), now, mem)
hold_run(ARGV[2])
if ARGV[4] ~= '' then
    redis.call('HSET', key, 'retriedby', ARGV[4])
end
log_event(ARGV[2], 'retried', done_by(ARGV[3]))
notify()
return { C.ok, now }
