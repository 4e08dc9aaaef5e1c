-- Ends the call that a job has on the line.
--
-- KEYS[1]  active
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  job id
-- ARGV[3]  who wants it, or ''
-- Returns  {ok, now}, {wrong_state, now, state} without a call on the line,
--          {missing | late, now}
-- Touches  job:<id>, staging, orphans, due, totals, outbox, campaign:<id>, campaigns,
--          open_campaigns, turns:<rank>, shares, notify, waiting:<rank>, resting,
--          campaign_starts:<id>, window
--- @include "clock"
--- @include "hang_up"
--- @include "log"
--- @include "state"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local state = state_of(ARGV[2])
if not state then
    return { C.missing, now }
end
if not hang_up(ARGV[2], now) then
    return { C.wrong_state, now, state }
end
log_event(ARGV[2], 'hung_up', done_by(ARGV[3]))
return { C.ok, now }
