-- Hands the one active shipper the oldest entries of the outbox, in order.
--
-- KEYS[1]  outbox:leader
-- ARGV[1]  token of the shipper
-- ARGV[2]  how long it stays active without asking again, ms
-- ARGV[3]  entries wanted at most
-- Returns  {0, now} when another one is active, else
--          {1, now, sequence number of the last entry written, entry's number, entry, …}
-- Touches  outbox
--- @include "clock"
--- @include "memory"

local now = now_ms()
free_first()
-- A shipper of a version before 0.9.0 may still deliver, under the old key.
local leader = redis.call('GET', K.outbox_leader) or redis.call('GET', K.old_outbox_leader)
if leader and leader ~= ARGV[1] then
    return { 0, now }
end
redis.call('SET', K.outbox_leader, ARGV[1], 'PX', ARGV[2])

-- Two streams with one numbering. Where one has more than was read, the other one's entries
-- after that place wait.
local wanted = tonumber(ARGV[3])
local found, horizon = {}, math.huge
for _, stream in ipairs({ K.outbox_details, K.outbox_finals }) do
    local entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', wanted)
    for _, entry in ipairs(entries) do
        found[#found + 1] = { tonumber(string.match(entry[1], '^%d+')), entry[2][2] }
    end
    if #entries == wanted then
        horizon = math.min(horizon, found[#found][1])
    end
end
table.sort(found, function(one, other)
    return one[1] < other[1]
end)
local answer = { 1, now, redis.call('GET', K.outbox_last) or '0' }
for i = 1, math.min(#found, wanted) do
    if found[i][1] <= horizon then
        answer[#answer + 1] = string.format('%.0f', found[i][1])
        answer[#answer + 1] = found[i][2]
    end
end
return answer
