-- A page of the do-not-call list, newest first. Writes nothing.
--
-- KEYS[1]  do_not_call
-- ARGV[1]  place of the last entry of the page before, or ''
-- ARGV[2]  entries wanted
-- Returns  {how many are listed, number, its place, its entry, …}
-- Touches  do_not_call, do_not_call:entries
local from = ARGV[1] ~= '' and '(' .. ARGV[1] or '+inf'
local found = redis.call('ZREVRANGEBYSCORE', K.do_not_call, from, 1, 'WITHSCORES', 'LIMIT', 0, ARGV[2])
local answer = { redis.call('ZCOUNT', K.do_not_call, 1, '+inf') }
for i = 1, #found, 2 do
    answer[#answer + 1] = found[i]
    answer[#answer + 1] = found[i + 1]
    answer[#answer + 1] = redis.call('HGET', K.do_not_call_entries, found[i]) or ''
end
return answer
