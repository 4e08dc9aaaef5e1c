-- Removes a call that is not being placed; one on the line is ended as well.
--
-- KEYS[1]  active
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  job id
-- ARGV[3]  who wants it, or ''
-- ARGV[4]  '1' for calls that are to ring only, not for those in history
-- Returns  {ok, now, state it was in}, {wrong_state, now, state}, {missing | late, now}
-- Touches  job:<id>, waiting:<rank>, delayed, held:<kind>, expiring, completed, failed, staging,
--          orphans, due, totals, gone:<id>, revoked, outbox, line, dialing, busy_until,
--          campaign:<id>, campaigns, open_campaigns, turns:<rank>, shares, notify, resting,
--          campaign_starts:<id>, window
--- @include "clock"
--- @include "hang_up"
--- @include "job"
--- @include "remove"
--- @include "revoke"
--- @include "state"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local state = state_of(ARGV[2])
if not state then
    return { C.missing, now }
end
if state == 'active' or (ARGV[4] == '1' and (state == 'completed' or state == 'failed')) then
    return { C.wrong_state, now, state }
end
hang_up(ARGV[2], now)
revoke(job_key(ARGV[2]), now)
remove(ARGV[2], ARGV[3])
return { C.ok, now, state }
