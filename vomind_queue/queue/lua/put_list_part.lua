-- Adds a part to a list that is still kept, and keeps it for another while.
--
-- KEYS[1]  lists
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  for how long it is kept, ms
-- ARGV[4]  token of the work that adds it; '' for none
-- ARGV[5]  what it is added to: `file`, `pages` (of that work) or `list`
-- ARGV[6…] fields and their values
-- Returns  {ok | missing | superseded | late, now}; `superseded`: other work goes on
-- Touches  lists, list:<id>, list_jobs:<id>, list_file:<id>, list_pages:<id>
--- @include "clock"
--- @include "lists"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local list, token = K.staged_list .. ARGV[2], ARGV[4]
if redis.call('EXISTS', list) == 0 then
    return { C.missing, now }
end
if token ~= '' then
    if redis.call('HGET', list, 'token') ~= token then
        return { C.superseded, now }
    end
    redis.call('HSET', list, 'seen', string.format('%.0f', now))
end
local places = {
    file = K.list_file .. ARGV[2],
    pages = K.list_pages .. ARGV[2] .. ':' .. token,
    list = list,
}
redis.call('HSET', places[ARGV[5]], unpack(ARGV, 6))
renew_list(ARGV[2], ARGV[3], now)
return { C.ok, now }
