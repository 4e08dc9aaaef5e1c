-- Hands the one notifier that makes events the oldest entries, in order.
--
-- KEYS[1]  events:leader
-- ARGV[1]  token of the notifier
-- ARGV[2]  how long it stays the leader without asking again, ms
-- ARGV[3]  entries wanted at most
-- Returns  {0, now} while another one leads, else
--          {1, now, calls of the first entry that became events, number, entry, …}
-- Touches  outbox
--- @include "clock"
--- @include "events"
--- @include "memory"

local now = now_ms()
free_first()
local leader = redis.call('GET', K.events_leader)
if leader and leader ~= ARGV[1] then
    return { 0, now }
end
redis.call('SET', K.events_leader, ARGV[1], 'PX', ARGV[2])
local last, calls = events_prepared()
local answer = { 1, now, calls }
local begin = string.format('%.0f-0', last + 1)
for _, entry in ipairs(redis.call('XRANGE', K.events_outbox, begin, '+', 'COUNT', ARGV[3])) do
    answer[#answer + 1] = string.match(entry[1], '^%d+')
    answer[#answer + 1] = entry[2][2]
end
return answer
