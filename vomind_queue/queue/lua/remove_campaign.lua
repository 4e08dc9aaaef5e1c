-- Removes a draft.
--
-- KEYS[1]  campaigns
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- Returns  {ok | missing | late, now}, {wrong_state, now, state}
-- Touches  campaign:<id>, campaigns
--- @include "clock"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local state = redis.call('HGET', K.campaign .. ARGV[2], 'state')
if not state then
    return { C.missing, now }
end
if state ~= 'draft' then
    return { C.wrong_state, now, state }
end
redis.call('DEL', K.campaign .. ARGV[2])
redis.call('ZREM', K.campaigns, ARGV[2])
return { C.ok, now }
