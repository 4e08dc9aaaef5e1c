-- Begins work on a large list: to read it, or to accept it. Work that was broken off begins again.
--
-- KEYS[1]  lists
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  id
-- ARGV[3]  for how long it is kept, ms
-- ARGV[4]  token of this work
-- ARGV[5]  `reading` or `accepting`
-- ARGV[6]  after how long without a sign of life work was broken off, ms
-- ARGV[7]  answers that it has to have now, or ''
-- ARGV[8]  answers that it has from now on, or ''
-- Returns  {ok, now, tries}, {missing | mismatch | wrong_state | late, now}; `wrong_state`: it is
--          being worked on; `mismatch`: it was changed meanwhile
-- Touches  lists, list:<id>, list_jobs:<id>, list_file:<id>, list_pages:<id>
--- @include "clock"
--- @include "lists"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local id, work = ARGV[2], ARGV[5]
local list = K.staged_list .. id
local state, seen, answers, token, pages =
    unpack(redis.call('HMGET', list, 'state', 'seen', 'answers', 'token', 'pages'))
if not answers then
    return { C.missing, now }
end
if ARGV[7] ~= '' and ARGV[7] ~= answers then
    return { C.mismatch, now }
end
local is_worked = state == 'reading' or state == 'accepting'
local is_alive = is_worked and now - tonumber(seen) < tonumber(ARGV[6])
local is_read_again = work == 'reading' and state == 'reading' and ARGV[8] ~= ''
if is_alive and not is_read_again then
    return { C.wrong_state, now }
end
if token and token ~= pages then
    redis.call('DEL', K.list_pages .. id .. ':' .. token)
end
local is_again = state == work and ARGV[8] == ''
local tries = is_again and redis.call('HINCRBY', list, 'tries', 1) or 0
redis.call(
    'HSET', list,
    'token', ARGV[4], 'state', work, 'seen', string.format('%.0f', now),
    'tries', tries, 'done', 0, 'total', 0
)
redis.call('HDEL', list, 'fault')
if ARGV[8] ~= '' then
    redis.call('HSET', list, 'answers', ARGV[8])
end
renew_list(id, ARGV[3], now)
return { C.ok, now, tries }
