-- A page of the campaigns, newest first. Writes nothing.
--
-- KEYS[1]  campaigns
-- ARGV[1]  index of the first one wanted, from 0
-- ARGV[2]  index of the last one
-- Returns  {total, id, {field, value, …}, …}
-- Touches  campaigns, campaign:<id>

local answer = { redis.call('ZCARD', KEYS[1]) }
for _, id in ipairs(redis.call('ZREVRANGE', KEYS[1], ARGV[1], ARGV[2])) do
    answer[#answer + 1] = id
    answer[#answer + 1] = redis.call('HGETALL', K.campaign .. id)
end
return answer
