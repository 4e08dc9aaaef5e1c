-- Keeps a list that was uploaded.
--
-- KEYS[1]  counter of list ids
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  for how long it is kept, ms
-- ARGV[3]  lists at most
-- ARGV[4…] its fields and their values
-- Returns  {ok, now, id}, {wrong_state | late, now}; `wrong_state`: there are as many as there may be
-- Touches  lists, list:<id>, list_jobs:<id>, listid
--- @include "clock"
--- @include "lists"
--- @include "memory"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
free_first('ZREMRANGEBYSCORE', K.staged_lists, '-inf', now)
if redis.call('ZCARD', K.staged_lists) >= tonumber(ARGV[3]) then
    return { C.wrong_state, now }
end
local id = string.format('%d', redis.call('INCR', K.last_list))
redis.call('HSET', K.staged_list .. id, unpack(ARGV, 4))
renew_list(id, ARGV[2], now)
return { C.ok, now, id }
