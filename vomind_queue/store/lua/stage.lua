-- Writes a part of a bulk that is not there yet for anyone; `commit` makes it so.
--
-- KEYS[1]  counter of job ids
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  first id of the bulk, or '' to begin one
-- ARGV[3]  number of calls in the whole bulk
-- ARGV[4]  how long a bulk may stay staged, ms
-- ARGV[5]  index of the first call of this part within the bulk
-- ARGV[6…] for each call: data (JSON), rank of its priority
-- Returns  {ok, now, first id} or {late, now}; late also when the bulk was dropped meanwhile
-- Touches  job:<id>, id, staging
local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local count = tonumber(ARGV[3])
local first = tonumber(ARGV[2])
if not first then
    first = redis.call('INCRBY', K.last_id, count) - count + 1
elseif not redis.call('ZSCORE', K.staging, string.format('%d:%d', first, count)) then
    return { C.late, now }
end
redis.call('ZADD', K.staging, now + tonumber(ARGV[4]), string.format('%d:%d', first, count))
local offset = first + tonumber(ARGV[5])
for i = 6, #ARGV, 2 do
    redis.call('HSET', job_key(string.format('%d', offset)), 'data', ARGV[i], 'priority', ARGV[i + 1],
        'state', 'staged')
    offset = offset + 1
end
return { C.ok, now, string.format('%d', first) }
