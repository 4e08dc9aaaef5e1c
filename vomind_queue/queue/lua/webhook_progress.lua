-- Stores how far a subscription is.
--
-- KEYS[1]  webhooks:leases
-- ARGV[1]  id
-- ARGV[2]  token of the notifier
-- ARGV[3]  epoch of the subscription that it knows
-- ARGV[4]  deliveries kept
-- ARGV[5]  what changed, as JSON: {set: {field: text}, unset: [field], add: {field: number},
--          retries: {sequence: text}, left: [sequence], deliveries: [text]}
-- Returns  {ok | lost}; `lost`: it was changed by a person, or is another notifier's
-- Touches  webhooks:leases, webhooks:epochs, webhook:<id>, webhooks:totals
--- @include "memory"

free_first()
local id, state = ARGV[1], K.webhook .. ARGV[1]
local owner = string.match(redis.call('HGET', K.webhook_leases, id) or '', '^(%S+)')
if owner ~= ARGV[2] or (redis.call('HGET', K.webhook_epochs, id) or '0') ~= ARGV[3] then
    return { C.lost }
end
local changes = cjson.decode(ARGV[5])
for field, value in pairs(changes.set) do
    redis.call('HSET', state, field, value)
end
for _, field in ipairs(changes.unset) do
    redis.call('HDEL', state, field)
end
for field, number in pairs(changes.add) do
    redis.call('HINCRBY', state, field, number)
    redis.call('HINCRBY', K.webhook_totals, field, number)
end
for sequence, text in pairs(changes.retries) do
    redis.call('HSET', state .. ':retries', sequence, text)
end
for _, sequence in ipairs(changes.left) do
    redis.call('HDEL', state .. ':retries', sequence)
end
for _, text in ipairs(changes.deliveries) do
    redis.call('LPUSH', state .. ':deliveries', text)
end
redis.call('LTRIM', state .. ':deliveries', 0, tonumber(ARGV[4]) - 1)
return { C.ok }
