-- Notes that rows of a list have become calls of its campaign.
--
-- The campaign remembers them even where the list has gone: the same file may come again.
--
-- KEYS[1]  lists
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id of the list
-- ARGV[3]  for how long it is kept, ms
-- ARGV[4]  id of the campaign
-- ARGV[5]  for how long the campaign remembers them, ms
-- ARGV[6]  what the list writes before the digests of these rows
-- ARGV[7…] digests of the rows, each with the id of its call
-- Returns  {ok | missing | late, now}; `missing`: the list has gone
-- Touches  lists, list:<id>, list_jobs:<id>, list_file:<id>, list_pages:<id>,
--          list_rows:<campaign>
--- @include "clock"
--- @include "lists"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local id, rows = ARGV[2], K.list_rows .. ARGV[4]
local is_kept = redis.call('EXISTS', K.staged_list .. id) == 1
for i = 7, #ARGV, 2 do
    redis.call('HSET', rows, ARGV[i], string.format('%.0f', now))
    if is_kept then
        redis.call('HSET', K.list_jobs .. id, ARGV[6] .. ARGV[i], ARGV[i + 1])
    end
end
redis.call('PEXPIRE', rows, ARGV[5])
if not is_kept then
    return { C.missing, now }
end
redis.call('HDEL', K.staged_list .. id, 'sending')
renew_list(id, ARGV[3], now)
return { C.ok, now }
