-- Puts a recurring job aside, with its next run where that is not due yet.
--
-- KEYS[1]  the set of recurring jobs
-- ARGV[1]  what all keys of the queue begin with
-- ARGV[2]  its name in the set
-- ARGV[3]  its next run, unix ms, as it was seen
-- ARGV[4]  id of that run's job
-- Returns  1, or 0 when it has changed since
local base, name, run, iteration = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local ours = base .. 'vomind:'
local score = redis.call('ZSCORE', KEYS[1], name)
if not score or tonumber(score) ~= tonumber(run) then
    return 0
end
local target = ours .. 'schedule:' .. name
if redis.call('EXISTS', base .. 'repeat:' .. name) == 1 then
    redis.call('RENAME', base .. 'repeat:' .. name, target)
end
if redis.call('ZREM', base .. 'delayed', iteration) == 1 and redis.call('EXISTS', base .. iteration) == 1 then
    redis.call('RENAME', base .. iteration, ours .. 'job:' .. iteration)
    redis.call('HSET', target, 'vomind:run', iteration)
end
redis.call('HSET', target, 'vomind:next', run)
redis.call('ZREM', KEYS[1], name)
redis.call('ZADD', ours .. 'held', redis.call('INCR', ours .. 'sequence'), 'schedule:' .. name)
return 1
