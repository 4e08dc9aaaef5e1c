-- Removes the oldest of the completed and failed calls.
--
-- KEYS[1]  completed
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  least age, ms since the end
-- ARGV[3]  how many at most, over both states together
-- Returns  {ok, now, 'completed' | 'failed', id, …} or {late, now}
-- Touches  job:<id>, completed, failed, totals, gone:<id>, outbox, line, dialing, busy_until,
--          campaign:<id>, campaigns, open_campaigns, turns:<rank>, shares, notify, waiting:<rank>,
--          resting, campaign_starts:<id>, window
--- @include "clock"
--- @include "drop_record"
--- @include "job"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local before = now - tonumber(ARGV[2])
local limit = tonumber(ARGV[3])
local sets = { completed = K.completed, failed = K.failed }
local lists = {}
for name, set in pairs(sets) do
    lists[name] = redis.call('ZRANGEBYSCORE', set, '-inf', before, 'WITHSCORES', 'LIMIT', 0, limit)
end
local answer = { C.ok, now }
local done, failed = 1, 1
while (#answer - 2) / 2 < limit do
    local c, f = tonumber(lists.completed[done + 1]), tonumber(lists.failed[failed + 1])
    if not c and not f then
        break
    end
    local name, mem
    if c and (not f or c <= f) then
        name, mem, done = 'completed', lists.completed[done], done + 2
    else
        name, mem, failed = 'failed', lists.failed[failed], failed + 2
    end
    redis.call('ZREM', sets[name], mem)
    drop_record(id_of(mem))
    answer[#answer + 1] = name
    answer[#answer + 1] = id_of(mem)
end
return answer
