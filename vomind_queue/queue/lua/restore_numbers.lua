-- Brings numbers from the call log back into the do-not-call list.
--
-- KEYS[1]  do_not_call
-- ARGV[1]  '1' where these are the last: the list is whole
-- ARGV[2…] for each: the number, or what stands for it, and its entry
-- Returns  {now, how many were missing}
-- Touches  do_not_call, do_not_call:entries
--- @include "clock"
--- @include "do_not_call"
--- @include "memory"

free_first()
local place, missing = next_place(), 0
for i = 2, #ARGV, 2 do
    if not is_listed(ARGV[i]) then
        redis.call('ZADD', K.do_not_call, place, ARGV[i])
        redis.call('HSET', K.do_not_call_entries, ARGV[i], ARGV[i + 1])
        place, missing = place + 1, missing + 1
    end
    local key = string.match(ARGV[i], '^#(%x+):')
    if key then
        redis.call('ZADD', K.do_not_call, 0, '#')
        -- Digests of several keys: no key can check them all, so no call starts until that is repaired.
        local made_with = redis.call('HGET', K.do_not_call_entries, '#')
        redis.call('HSET', K.do_not_call_entries, '#', (made_with or key) == key and key or 'several')
    end
end
if ARGV[1] == '1' then
    redis.call('ZADD', K.do_not_call, 0, 'restored')
end
return { now_ms(), missing }
