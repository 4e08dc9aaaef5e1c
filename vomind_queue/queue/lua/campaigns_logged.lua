-- Notes that the call log has campaigns, but for those that changed meanwhile.
--
-- KEYS[1]  outbox:campaigns
-- ARGV[1]  token of the shipper; one that lost the lead while it delivered has no say
-- ARGV[…]  id and changes, as `unlogged_campaigns` returned them, …
-- Returns  {how many}
-- Touches  outbox
--- @include "memory"

free_first()
if redis.call('GET', K.outbox_leader) ~= ARGV[1] then
    return { 0 }
end
local done = 0
for i = 2, #ARGV, 2 do
    if redis.call('ZSCORE', KEYS[1], ARGV[i]) == ARGV[i + 1] then
        done = done + redis.call('ZREM', KEYS[1], ARGV[i])
    end
end
return { done }
