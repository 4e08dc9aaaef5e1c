-- Changes a call that has not begun, unless it changed since the caller read it.
--
-- KEYS[1]  active
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  job id
-- ARGV[3]  data that the change was made of
-- ARGV[4]  new data (JSON)
-- ARGV[5]  rank of its priority
-- ARGV[6]  due ms or ''
-- ARGV[7]  delay ms or ''; without either its time stays
-- ARGV[8]  who wants it, or ''
-- ARGV[9]  latest start as in `includes/expiry.lua`, or 'keep'
-- Returns  {ok, now}, {wrong_state, now, state}, {mismatch | missing | late, now},
--          {expired, now}: it would have to start before it is due
-- Touches  job:<id>, waiting:<rank>, delayed, held:<kind>, expiring, staging, totals, notify, due,
--          outbox, campaign:<id>, campaigns, open_campaigns, turns:<rank>, shares, resting,
--          campaign_starts:<id>, window
--- @include "clock"
--- @include "expiry"
--- @include "hours"
--- @include "job"
--- @include "log"
--- @include "notify"
--- @include "state"
--- @include "turns"
--- @include "waiting"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local id, rank = ARGV[2], ARGV[5]
local state = state_of(id)
if not state then
    return { C.missing, now }
end
local key, mem = job_key(id), member(id)
local job = redis.call('HMGET', key, 'data', 'priority', 'started', 'notafter', 'c')
if (state ~= 'waiting' and state ~= 'delayed') or job[3] then
    return { C.wrong_state, now, state }
end
if job[1] ~= ARGV[3] then
    return { C.mismatch, now }
end

local due = tonumber(ARGV[6]) or (ARGV[7] ~= '' and now + tonumber(ARGV[7]))
if ARGV[9] ~= 'keep' then
    local at = math.max(due or tonumber(redis.call('ZSCORE', K.delayed, mem) or 0), now)
    local latest = latest_start(ARGV[9], at)
    if is_expired(latest, at) then
        return { C.expired, now }
    end
    set_expiry(id, latest, now)
end
redis.call('HSET', key, 'data', ARGV[4], 'priority', rank)
local waiting, wanted = waiting_set(job[2], job[5]), waiting_set(rank, job[5])
local was_held = stop_holding(key, mem)
if due then
    redis.call('ZREM', waiting, mem)
    redis.call('ZREM', K.delayed, mem)
    -- Its old place in the queue does not apply to another time.
    redis.call('HDEL', key, 'pos', 'next')
    local later = due > now
    redis.call('HSET', key, 'due', string.format('%d', due), 'state', later and 'delayed' or 'waiting')
    redis.call('ZADD', later and K.delayed or wanted, later and due or now, mem)
elseif was_held then
    -- The person's time zone may have changed: the rules are checked again, and its place is kept.
    redis.call('ZREM', K.delayed, mem)
    redis.call('HDEL', key, 'next')
    redis.call('HSET', key, 'state', 'waiting')
    redis.call('ZADD', wanted, redis.call('HGET', key, 'pos') or now, mem)
elseif state == 'waiting' and rank ~= job[2] then
    local place = redis.call('ZSCORE', waiting, mem)
    redis.call('ZREM', waiting, mem)
    redis.call('ZADD', wanted, place, mem)
end
if job[5] then
    leave_if_empty(job[5], job[2])
end
local details = done_by(ARGV[8])
if due then
    details = details or {}
    details.due = string.format('%.0f', due)
end
log_event(id, 'changed', details)
notify()
return { C.ok, now }
