-- Makes a staged bulk visible, all of it at one moment.
--
-- KEYS[1]  counter of job ids
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  name of the idempotency key, or ''
-- ARGV[3]  fingerprint of the request, or ''
-- ARGV[4]  how long the request is remembered, ms
-- ARGV[5]  first id of the bulk
-- ARGV[6]  number of calls in it
-- ARGV[7…] for each call: rank of its priority, due ms or '', delay ms or ''
-- Returns  {ok | replay, now, first id, count, accepted ms}, {mismatch | late, now}
-- Touches  job:<id>, waiting:<rank>, delayed, staging, request:<key>, wake, outbox
local now = now_ms()
local answer = answered(ARGV[1], ARGV[2], ARGV[3], now)
if answer then
    return answer
end
local first, count = tonumber(ARGV[5]), tonumber(ARGV[6])
local batch = string.format('%d:%d', first, count)
if redis.call('ZREM', K.staging, batch) == 0 then
    return { C.late, now }
end

-- Members for one sorted set at a time, a few hundred a command.
local pending = {}
local function flush(key)
    redis.call('ZADD', key, unpack(pending[key]))
    pending[key] = nil
end
local function collect(key, score, mem)
    local list = pending[key] or {}
    pending[key] = list
    list[#list + 1] = score
    list[#list + 1] = mem
    if #list >= 1000 then
        flush(key)
    end
end

for i = 0, count - 1 do
    local rank, due, delay = unpack(ARGV, 7 + i * 3, 9 + i * 3)
    local id = string.format('%d', first + i)
    due = tonumber(due) or (delay ~= '' and now + tonumber(delay)) or nil
    if due then
        redis.call('HSET', job_key(id), 'state', due > now and 'delayed' or 'waiting', 'at', now,
            'due', string.format('%d', due))
    else
        redis.call('HSET', job_key(id), 'state', 'waiting', 'at', now)
    end
    if due and due > now then
        collect(K.delayed, string.format('%d', due), member(id))
    else
        collect(K.waiting .. rank, now, member(id))
    end
end
for key in pairs(pending) do
    flush(key)
end
log_range(first, count, 'accepted')
remember(ARGV[2], ARGV[3], ARGV[4], first, count, now)
wake()
return { C.ok, now, string.format('%d', first), count, now }
