-- Makes calls that rules hold due at once, in batches, so that changed rules are applied to them.
--
-- KEYS[1]  rules
-- ARGV[1]  digest of the rules in force
-- ARGV[2]  calls to wake at most
-- ARGV[3…] kinds of rules that hold calls
-- Returns  {now, how many were woken}: none once all were, for rules with that digest
-- Touches  rules, held:<kind>, job:<id>, delayed, notify
--- @include "clock"
--- @include "hours"
--- @include "job"
--- @include "memory"
--- @include "notify"

local now = now_ms()
if redis.call('GET', K.rules) == ARGV[1] then
    return { now, 0 }
end
free_first()
local woken = 0
for i = 3, #ARGV do
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
