-- Removes a list with all that was made of it.
--
-- KEYS[1]  lists
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- Returns  {ok | late, now}
-- Touches  lists, list:<id>, list_jobs:<id>, list_file:<id>, list_pages:<id>
--- @include "clock"
--- @include "lists"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
redis.call('DEL', unpack(keys_of_list(ARGV[2])))
redis.call('ZREM', K.staged_lists, ARGV[2])
return { C.ok, now }
