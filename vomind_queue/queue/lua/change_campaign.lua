-- Changes a draft, unless it changed since the caller read it.
--
-- KEYS[1]  campaigns
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  data that the change was made of
-- ARGV[4]  new data (JSON)
-- Returns  {ok | mismatch | missing | late, now}, {wrong_state, now, state}
-- Touches  campaign:<id>
--- @include "clock"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local key = K.campaign .. ARGV[2]
local data, state = unpack(redis.call('HMGET', key, 'data', 'state'))
if not data then
    return { C.missing, now }
end
if state ~= 'draft' then
    return { C.wrong_state, now, state }
end
if data ~= ARGV[3] then
    return { C.mismatch, now }
end
redis.call('HSET', key, 'data', ARGV[4])
return { C.ok, now }
