-- Ends work on a large list.
--
-- KEYS[1]  lists
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  for how long it is kept, ms
-- ARGV[4]  token of the work
-- ARGV[5]  `ready`, `accepted` or `failed`
-- ARGV[6]  why it failed, or ''
-- ARGV[7]  what is known of the list now; '' where the work's pages are not to be shown
-- Returns  {ok | missing | superseded | late, now}; `superseded`: other work goes on
-- Touches  lists, list:<id>, list_jobs:<id>, list_file:<id>, list_pages:<id>
--- @include "clock"
--- @include "lists"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local id, token = ARGV[2], ARGV[4]
local list = K.staged_list .. id
local current, shown = unpack(redis.call('HMGET', list, 'token', 'pages'))
if redis.call('EXISTS', list) == 0 then
    return { C.missing, now }
end
if current ~= token then
    return { C.superseded, now }
end
redis.call('HSET', list, 'state', ARGV[5], 'fault', ARGV[6])
if ARGV[7] ~= '' then
    redis.call('HSET', list, 'summary', ARGV[7], 'pages', token)
    if shown and shown ~= token then
        redis.call('DEL', K.list_pages .. id .. ':' .. shown)
    end
end
renew_list(id, ARGV[3], now)
return { C.ok, now }
