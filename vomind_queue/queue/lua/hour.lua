-- What happened in the last hour, minute by minute. Writes nothing.
--
-- KEYS[1]  active
-- ARGV[1]  minutes wanted, this one included
-- Returns  {now, last sequence number of the outbox or '', {half octave, waiting calls, …},
--           minute, {field, count, …}, …}
--          half octaves of how long they have waited, as `half_octave` in includes/totals.lua
--          numbers them; minutes since 1970; those in which nothing happened are left out
-- Touches  waiting:<rank>, minute:<n>, outbox
--- @include "clock"

local now = now_ms()
local this = math.floor(now / 60000)
-- Ages are counted down to the oldest call, a few dozen counts for each priority.
local function waiting()
    local counts = {}
    for rank = 1, 3 do
        local key = K.waiting .. rank
        local all, younger, octave = redis.call('ZCARD', key), 0, 1
        while younger < all do
            octave = octave + 1
            local ends = 2 ^ math.floor(octave / 2) * (octave % 2 == 1 and 1 or 0.75)
            local until_then = redis.call('ZCOUNT', key, '(' .. string.format('%.2f', now - ends), '+inf')
            if until_then > younger then
                counts[#counts + 1] = octave
                counts[#counts + 1] = until_then - younger
                younger = until_then
            end
        end
    end
    return counts
end

local answer = { now, redis.call('GET', K.outbox_last) or '', waiting() }
for minute = this - tonumber(ARGV[1]) + 1, this do
    local counts = redis.call('HGETALL', K.minute .. minute)
    if #counts > 0 then
        answer[#answer + 1] = minute
        answer[#answer + 1] = counts
    end
end
return answer
