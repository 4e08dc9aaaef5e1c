-- Says when the next background work is due: reconciliations, polls, orphaned calls, voicemails
-- and calls that expire.
--
-- KEYS[1]  reconciling
-- Returns  {now, {bytes of memory used, maxmemory}, 1 where keys of an older version are left, else
--           0, 1 where held calls were woken for the rules in force, else 0,
--           ms until an unknown outcome is to be checked or -1, the same of calls to be polled,
--           of orphaned calls, of words for a machine, of calls that expire and of campaigns that
--           were cancelled}
-- Touches  reconciling, status_polls, pace, orphans, voicemails, expiring, rules, sweeping,
--          old reconciling, old status_polls, old orphans, old notify
--- @include "clock"
--- @include "memory_use"
--- @include "old_keys"

local now = now_ms()
local function wait(key, least)
    local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
    return head and math.max(math.ceil(tonumber(head)) - now, least) or -1
end
local function is_woken()
    local rules = redis.call('GET', K.rules)
    return rules and string.sub(rules, 1, 1) ~= '~' and 1 or 0
end
local paced = math.max(redis.call('PTTL', K.pace), 0)
return { now, memory_use(), has_old_keys() and 1 or 0, is_woken(),
    wait(K.reconciling, 0), wait(K.status_polls, paced), wait(K.orphans, 0), wait(K.voicemails, 0),
    wait(K.expiring, 0), wait(K.sweeping, 0) }
