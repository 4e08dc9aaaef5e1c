-- Changes a list that is still kept, and keeps it for another while.
--
-- KEYS[1]  lists
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  for how long it is kept, ms
-- ARGV[4]  last digits of numbers in it that were not known before, or ''
-- ARGV[5]  answers that it has to have now, or ''
-- ARGV[6…] fields that are set, and their values
-- Returns  {ok | missing | mismatch | late, now}; `mismatch`: it was changed meanwhile
-- Touches  lists, list:<id>, list_jobs:<id>, list_file:<id>, list_pages:<id>
--- @include "clock"
--- @include "lists"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local list = K.staged_list .. ARGV[2]
local answers, tails = unpack(redis.call('HMGET', list, 'answers', 'tails'))
if not answers then
    return { C.missing, now }
end
if ARGV[5] ~= '' and ARGV[5] ~= answers then
    return { C.mismatch, now }
end
redis.call('HSET', list, unpack(ARGV, 6))
if ARGV[4] ~= '' then
    redis.call('HSET', list, 'tails', tails .. ' ' .. ARGV[4])
end
renew_list(ARGV[2], ARGV[3], now)
return { C.ok, now }
