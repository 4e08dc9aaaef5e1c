-- Starts, pauses, resumes or cancels a campaign; one that begins later is scheduled.
--
-- No call's record is touched: none of its calls starts from now on unless it runs. `sweep_campaigns`
-- removes the calls of one that was cancelled.
--
-- KEYS[1]  campaigns
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  start, pause, resume or cancel
-- ARGV[4]  by whom
-- Returns  {ok | again, now, state}, {missing | late, now}, {wrong_state, now, state},
--          {expired, now}: its end has come before it was started
-- Touches  campaign:<id>, open_campaigns, turns:<rank>, sweeping, notify, due, shares,
--          waiting:<rank>, resting, campaign_starts:<id>, campaign_times, window, outbox
--- @include "campaign_times"
--- @include "clock"
--- @include "memory"
--- @include "told"
--- @include "turns"
--- @include "unlogged"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local id, deed = ARGV[2], ARGV[3]
local key = K.campaign .. id
local from = { start = 'draft', pause = 'running', resume = 'paused' }
local to = { start = 'running', pause = 'paused', resume = 'running', cancel = 'cancelled' }
local state, ends = unpack(redis.call('HMGET', key, 'state', 'endat'))
if not state then
    return { C.missing, now }
end
if state == to[deed] or (deed == 'start' and state == 'scheduled') then
    return { C.again, now, state }
end
if state == 'finished' or state == 'cancelled' or (from[deed] and state ~= from[deed]) then
    return { C.wrong_state, now, state }
end
if deed == 'start' and ends and tonumber(ends) <= now then
    return { C.expired, now }
end
free_first()
redis.call('HSET', key, 'by', ARGV[4])
note_unlogged(id)
if deed == 'cancel' then
    stop_campaign(id, 'cancelled')
elseif deed == 'pause' then
    redis.call('HSET', key, 'state', 'paused')
    leave_turns(id)
    note_campaign(id, 'paused')
else
    run_in_time(id)
end
return { C.ok, now, redis.call('HGET', key, 'state') }
