-- Puts a keyed digest in the place of a number on the do-not-call list: its person is forgotten.
--
-- KEYS[1]  do_not_call
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  the number
-- ARGV[3]  what stands for it; '' without a key
-- ARGV[4]  which key that was made with
-- Returns  {ok | missing | late, now}, {wrong_state, now}: it stays as it is, for there is no key or
--          the digests on the list were made with another one
-- Touches  do_not_call, do_not_call:entries, do_not_call:outbox
--- @include "clock"
--- @include "do_not_call"
--- @include "memory"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local place = redis.call('ZSCORE', K.do_not_call, ARGV[2])
if not place then
    return { C.missing, now }
end
local made_with = redis.call('HGET', K.do_not_call_entries, '#')
if ARGV[3] == '' or (made_with and made_with ~= ARGV[4]) then
    return { C.wrong_state, now }
end
free_first()
local at, wish = string.match(redis.call('HGET', K.do_not_call_entries, ARGV[2]), '^(%d+) (.*)$')
wish = cjson.decode(wish)
-- Words may name the person.
wish['reason'] = cjson.null
redis.call('ZREM', K.do_not_call, ARGV[2])
redis.call('ZADD', K.do_not_call, place, ARGV[3], 0, '#')
redis.call('HDEL', K.do_not_call_entries, ARGV[2])
redis.call('HSET', K.do_not_call_entries, '#', ARGV[4], ARGV[3], at .. ' ' .. cjson.encode(wish))
note_change('hashed', ARGV[2], 'digest', ARGV[3])
return { C.ok, now }
