-- Records the outcomes of some calls of an act on many, unless another process has recorded them.
--
-- KEYS[1]  act:<id>
-- KEYS[2]  act:<id>:results
-- ARGV[1]  calls that were handled before these
-- ARGV[2]  calls that are handled with these
-- ARGV[3]  outcomes kept at most
-- ARGV[4]  how long they are kept, ms
-- ARGV[5]  results that follow: each its name, and how many calls had it
-- ARGV[6…] those, then job ids, each with its outcome: JSON
-- Returns  {1}, or {0} when another process was faster
-- Touches  act:<id>, act:<id>:results

if redis.call('HGET', KEYS[1], 'next') ~= ARGV[1] then
    return { 0 }
end
local outcomes = 6 + 2 * tonumber(ARGV[5])
for i = 6, outcomes - 1, 2 do
    redis.call('HINCRBY', KEYS[1], 'n:' .. ARGV[i], ARGV[i + 1])
end
if outcomes < #ARGV and redis.call('HLEN', KEYS[2]) < tonumber(ARGV[3]) then
    for i = outcomes, #ARGV, 2 do
        redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
    end
    redis.call('PEXPIRE', KEYS[2], ARGV[4])
end
redis.call('HSET', KEYS[1], 'next', ARGV[2])
return { 1 }
