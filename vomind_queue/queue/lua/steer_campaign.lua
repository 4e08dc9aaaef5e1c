-- Starts, pauses, resumes or cancels a campaign. No call's record is touched: none of its calls starts
-- from now on unless it runs. `sweep_campaigns` removes the calls of one that was cancelled.
--
-- KEYS[1]  campaigns
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  start, pause, resume or cancel
-- ARGV[4]  by whom
-- Returns  {ok | again, now, state}, {missing | late, now}, {wrong_state, now, state}
-- Touches  campaign:<id>, open_campaigns, turns:<rank>, sweeping, notify, due, shares,
--          waiting:<rank>
--- @include "clock"
--- @include "due"
--- @include "memory"
--- @include "parts"
--- @include "turns"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local id, deed = ARGV[2], ARGV[3]
local key = K.campaign .. id
local from = { start = 'draft', pause = 'running', resume = 'paused' }
local to = { start = 'running', pause = 'paused', resume = 'running', cancel = 'cancelled' }
local state, total = unpack(redis.call('HMGET', key, 'state', 'n:total'))
if not state then
    return { C.missing, now }
end
if state == to[deed] then
    return { C.again, now, state }
end
if state == 'finished' or state == 'cancelled' or (from[deed] and state ~= from[deed]) then
    return { C.wrong_state, now, state }
end
free_first()
redis.call('HSET', key, 'state', to[deed], 'by', ARGV[4])
if deed == 'start' then
    redis.call('HSET', key, 'started', now)
end
if to[deed] == 'running' then
    enter_turns(id)
    if total then
        judge_end(id, key)
    end
else
    leave_turns(id)
end
if deed == 'cancel' then
    redis.call('HSET', key, 'ended', now)
    redis.call('ZREM', K.open_campaigns, id)
    set_due(K.sweeping, id, now, now)
end
return { C.ok, now, redis.call('HGET', key, 'state') }
