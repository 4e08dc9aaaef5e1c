-- Changes a campaign that has not ended, unless it changed since the caller read it.
--
-- KEYS[1]  campaigns
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  data that the change was made of
-- ARGV[4]  new data (JSON)
-- ARGV[5]  the weight in it                ARGV[6] whether it stays open: 1 | 0
-- Returns  {ok | mismatch | missing | late, now}, {wrong_state, now, state}
-- Touches  campaign:<id>, open_campaigns, turns:<rank>
--- @include "clock"
--- @include "parts"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local key = K.campaign .. ARGV[2]
local data, state = unpack(redis.call('HMGET', key, 'data', 'state'))
if not data then
    return { C.missing, now }
end
if state == 'finished' or state == 'cancelled' then
    return { C.wrong_state, now, state }
end
if data ~= ARGV[3] then
    return { C.mismatch, now }
end
redis.call('HSET', key, 'data', ARGV[4], 'weight', ARGV[5], 'open', ARGV[6])
if redis.call('HGET', key, 'n:total') then
    judge_end(ARGV[2], key)
end
return { C.ok, now }
