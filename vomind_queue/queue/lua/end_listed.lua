-- Ends the calls in a part of a sorted set whose numbers are on the do-not-call list.
--
-- KEYS[1]  the sorted set: waiting calls of a priority, or those that are delayed
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  cursor, '0' at first
-- ARGV[3]  calls looked at, about
-- ARGV[4]  failed calls kept: age ms       ARGV[5] and number
-- Returns  {ok, now, next cursor, id of one that was ended, …} or {late, now}
-- Touches  do_not_call, job:<id>, waiting:<rank>, delayed, held:<kind>, failed, leases,
--          reconciling, active, window, expiring, minute:<n>, totals, gone:<id>, line, outbox,
--          dialing, busy_until, campaign:<id>, campaigns, open_campaigns, turns:<rank>, shares,
--          notify, resting, campaign_starts:<id>
--- @include "clock"
--- @include "do_not_call"
--- @include "end_listed"
--- @include "job"
--- @include "memory"
--- @include "number"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
free_first()
local part = redis.call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
local answer = { C.ok, now, part[1] }
for i = 1, #part[2], 2 do
    local id = id_of(part[2][i])
    local data = redis.call('HGET', job_key(id), 'data')
    if data and is_listed(number_of(data)) then
        end_listed(id, ARGV[4], ARGV[5])
        answer[#answer + 1] = id
    end
end
return answer
