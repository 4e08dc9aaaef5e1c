-- Finds, and if wanted ends, the calls of one number that are on the line.
--
-- KEYS[1]  line
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  cursor, '0' at first
-- ARGV[3]  the number
-- ARGV[4]  '1' to end them
-- ARGV[5]  who wants that, or ''
-- Returns  {ok, now, next cursor, id, …} or {late, now}
-- Touches  line, job:<id>, orphans, due, totals, outbox, campaign:<id>, campaigns, open_campaigns,
--          turns:<rank>, shares, notify, waiting:<rank>, resting, campaign_starts:<id>, window
--- @include "clock"
--- @include "hang_up"
--- @include "job"
--- @include "log"
--- @include "number"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local part = redis.call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', 500)
local answer = { C.ok, now, part[1] }
for i = 1, #part[2], 2 do
    local id = id_of(part[2][i])
    local data = redis.call('HGET', job_key(id), 'data')
    if data and number_of(data) == ARGV[3] then
        answer[#answer + 1] = id
        if ARGV[4] == '1' and hang_up(id, now) then
            log_event(id, 'hung_up', done_by(ARGV[5]))
        end
    end
end
return answer
