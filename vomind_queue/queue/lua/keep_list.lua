-- Keeps a list that was uploaded; its file follows in parts.
--
-- KEYS[1]  counter of list ids
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  for how long it is kept, ms
-- ARGV[3]  lists at most
-- ARGV[4]  bytes of all files at most
-- ARGV[5]  bytes of this one
-- ARGV[6…] its fields and their values
-- Returns  {ok, now, id}, {wrong_state | limited | late, now}; `wrong_state`: there are as many as
--          there may be; `limited`: their files are
-- Touches  lists, list:<id>, list_jobs:<id>, list_file:<id>, list_pages:<id>, listid
--- @include "clock"
--- @include "lists"
--- @include "memory"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
free_first('ZREMRANGEBYSCORE', K.staged_lists, '-inf', now)
local kept = redis.call('ZRANGE', K.staged_lists, 0, -1)
if #kept >= tonumber(ARGV[3]) then
    return { C.wrong_state, now }
end
local room = tonumber(ARGV[4]) - tonumber(ARGV[5])
for _, id in ipairs(kept) do
    room = room - tonumber(redis.call('HGET', K.staged_list .. id, 'size') or 0)
end
if room < 0 then
    return { C.limited, now }
end
local id = string.format('%d', redis.call('INCR', K.last_list))
redis.call('HSET', K.staged_list .. id, 'size', ARGV[5], unpack(ARGV, 6))
renew_list(id, ARGV[2], now)
return { C.ok, now, id }
