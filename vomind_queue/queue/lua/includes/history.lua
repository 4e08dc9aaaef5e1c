-- Calls that have ended are kept for a time and up to a number.
--- @include "clock"
--- @include "drop_record"
--- @include "job"

-- Removes some of those that are older than `age` ms, or more than `keep`.
local function trim(set, age, keep)
    local old = redis.call('ZRANGEBYSCORE', set, '-inf', now_ms() - tonumber(age), 'LIMIT', 0, 5)
    local over = redis.call('ZCARD', set) - tonumber(keep)
    if over > #old then
        old = redis.call('ZRANGE', set, 0, math.min(over, 5) - 1)
    end
    if #old > 0 then
        redis.call('ZREM', set, unpack(old))
    end
    for _, stale in ipairs(old) do
        drop_record(id_of(stale))
    end
end
