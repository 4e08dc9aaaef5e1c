-- What happened in the last hour, minute by minute. Writes nothing.
--
-- KEYS[1]  active
-- ARGV[1]  minutes wanted, this one included
-- Returns  {now, last sequence number of the outbox or '', minute, {field, count, …}, …}
--          minutes since 1970; those in which nothing happened are left out
-- Touches  minute:<n>, outbox
--- @include "clock"

local now = now_ms()
local this = math.floor(now / 60000)
local answer = { now, redis.call('GET', K.outbox_last) or '' }
for minute = this - tonumber(ARGV[1]) + 1, this do
    local counts = redis.call('HGETALL', K.minute .. minute)
    if #counts > 0 then
        answer[#answer + 1] = minute
        answer[#answer + 1] = counts
    end
end
return answer
