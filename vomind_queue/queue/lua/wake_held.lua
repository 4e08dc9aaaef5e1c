-- Makes calls that rules hold due at once, in batches, so that changed rules are applied to them.
--
-- KEYS[1]  rules
-- ARGV[1]  digest of the rules in force
-- ARGV[2]  calls to wake at most
-- ARGV[3]  how many of the kinds are those that hours of campaigns have a part in
-- ARGV[4…] kinds of rules that hold calls, these first
-- Returns  {now, how many were woken}: none once all were, for rules with that digest
-- Touches  rules, held:<kind>, job:<id>, delayed, notify
--- @include "clock"
--- @include "hours"
--- @include "job"
--- @include "memory"
--- @include "notify"

local now = now_ms()
local judged_by = redis.call('GET', K.rules)
if judged_by == ARGV[1] then
    return { now, 0 }
end
local kinds = #ARGV - 3
if judged_by == '~' .. ARGV[1] then
    -- Only the hours of a campaign have changed.
    kinds = tonumber(ARGV[3])
end
free_first()
local woken = 0
for i = 4, 3 + kinds do
    local left = tonumber(ARGV[2]) - woken
    local found = left > 0 and redis.call('ZRANGE', K.held .. ARGV[i], 0, left - 1) or {}
    for _, mem in ipairs(found) do
        if stop_holding(job_key(id_of(mem)), mem) then
            redis.call('ZADD', K.delayed, 'XX', now, mem)
        end
        redis.call('ZREM', K.held .. ARGV[i], mem)
    end
    woken = woken + #found
end
if woken > 0 then
    notify()
else
    redis.call('SET', K.rules, ARGV[1])
end
return { now, woken }
