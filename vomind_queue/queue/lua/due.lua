-- Tells when there is something to see to, besides calls that are to be placed.
--
-- KEYS[1]  settling
-- Returns  {now, {bytes of memory used, maxmemory}, ms until an attempt in doubt is due or -1,
--           the same of silent calls and of strays}
-- Touches  settling, following, pace, strays
--- @include "clock"
--- @include "memory_use"

local now = now_ms()
local function wait(key, least)
    local head = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
    return head and math.max(math.ceil(tonumber(head)) - now, least) or -1
end
local paced = math.max(redis.call('PTTL', K.pace), 0)
return { now, memory_use(), wait(K.reconciling, 0), wait(K.status_polls, paced), wait(K.orphans, 0) }
