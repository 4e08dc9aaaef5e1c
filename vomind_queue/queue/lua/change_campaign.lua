-- Changes a campaign that has not ended, unless it changed since the caller read it.
--
-- KEYS[1]  campaigns
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  data that the change was made of
-- ARGV[4]  new data (JSON)
-- ARGV[5…] fields of the record that are set by it, and their values; '' for absent
-- Returns  {ok | mismatch | missing | late, now}, {wrong_state, now, state}
-- Touches  campaign:<id>, open_campaigns, turns:<rank>, shares, resting, campaign_starts:<id>,
--          campaign_times, notify, waiting:<rank>, window, rules, due, outbox
--- @include "campaign_fields"
--- @include "campaign_times"
--- @include "clock"
--- @include "turns"
--- @include "unlogged"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local key = K.campaign .. ARGV[2]
local data, state, hours = unpack(redis.call('HMGET', key, 'data', 'state', 'hours'))
if not data then
    return { C.missing, now }
end
if state == 'finished' or state == 'cancelled' then
    return { C.wrong_state, now, state }
end
if data ~= ARGV[3] then
    return { C.mismatch, now }
end
redis.call('HSET', key, 'data', ARGV[4])
set_fields(key, 5)
note_unlogged(ARGV[2])
if redis.call('HGET', key, 'hours') ~= hours then
    wake_campaigns()
end
if state == 'running' then
    -- It may have room now, or none any more, or begin later.
    leave_turns(ARGV[2])
    run_in_time(ARGV[2])
else
    set_times(ARGV[2])
end
return { C.ok, now }
