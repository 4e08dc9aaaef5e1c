-- Renews a notifier's leases, and takes its share of those that nobody has.
--
-- KEYS[1]  webhooks:leases
-- ARGV[1]  token of the notifier
-- ARGV[2]  how long a lease lasts, ms
-- ARGV[3]  '1' to give all of them back, else ''
-- Returns  {now, id, epoch, …} with those that it has
-- Touches  webhooks:leases, webhooks:epochs, notifiers
--- @include "clock"
--- @include "memory"

local now, token = now_ms(), ARGV[1]
free_first()
redis.call('ZREMRANGEBYSCORE', K.notifiers, '-inf', now - tonumber(ARGV[2]))
if ARGV[3] == '1' then
    redis.call('ZREM', K.notifiers, token)
else
    redis.call('ZADD', K.notifiers, now, token)
end

local leases, epochs, ids = {}, {}, {}
local stored = redis.call('HGETALL', K.webhook_leases)
for i = 1, #stored, 2 do
    local owner, till = string.match(stored[i + 1], '^(%S+) (%d+)$')
    leases[stored[i]] = tonumber(till) > now and owner or nil
end
stored = redis.call('HGETALL', K.webhook_epochs)
for i = 1, #stored, 2 do
    epochs[stored[i]] = stored[i + 1]
    ids[#ids + 1] = stored[i]
end

local share = math.ceil(#ids / math.max(redis.call('ZCARD', K.notifiers), 1))
if ARGV[3] == '1' then
    share = 0
end
local mine, free = {}, {}
for _, id in ipairs(ids) do
    if leases[id] == token then
        mine[#mine + 1] = id
    elseif not leases[id] then
        free[#free + 1] = id
    end
end
for i = share + 1, #mine do
    redis.call('HDEL', K.webhook_leases, mine[i])
    mine[i] = nil
end
for _, id in ipairs(free) do
    if #mine < share then
        mine[#mine + 1] = id
    end
end
local answer, lease = { now }, string.format('%s %.0f', token, now + tonumber(ARGV[2]))
for _, id in ipairs(mine) do
    redis.call('HSET', K.webhook_leases, id, lease)
    answer[#answer + 1] = id
    answer[#answer + 1] = epochs[id] or '0'
end
return answer
