-- One call at a time to a number. `dialing` names the call that has it, from the dial marker until the
-- call on the line has ended and the least gap has passed. `busy_until` has the latest end of those
-- that Twilio has accepted.
--- @include "job"
--- @include "ring"

-- Twilio ends a call after so long, ms (https://www.twilio.com/docs/voice/api/call-resource, TimeLimit);
-- and rings for this much longer than it is told.
local LONGEST_CALL_MS, RINGS_ON_MS = 14400000, 5000
-- How many numbers whose time is long over are dropped at once.
local SWEPT = 3

-- Until when another call to the number waits at the latest, or nil: `owner` is whose it is.
local function taken_until(number, owner, id, now, gap_ms)
    local mark, over = unpack(redis.call('HMGET', job_key(owner), 'mark', 'over'))
    if owner ~= id and mark then
        return math.huge
    end
    local at = tonumber(redis.call('ZSCORE', K.busy_until, number) or 0)
    if over then
        -- An older process that recorded the end did not free the number.
        at = math.min(at, tonumber(over) + gap_ms)
    end
    return at > now and at or nil
end

-- Twilio has accepted the call, and no other one rings the number until its end is known. If it never
-- is: until the call must have ended.
local function hold_number(number, ring, now, gap_ms)
    local longest_ms = tonumber(ring or USUAL_RING_MS) + RINGS_ON_MS + LONGEST_CALL_MS
    redis.call('ZADD', K.busy_until, now + longest_ms + gap_ms, number)
end

local function give_number_up(number)
    redis.call('HDEL', K.dialing, number)
    redis.call('ZREM', K.busy_until, number)
end

local function sweep_numbers(now)
    for _, number in ipairs(redis.call('ZRANGEBYSCORE', K.busy_until, '-inf', now, 'LIMIT', 0, SWEPT)) do
        local owner = redis.call('HGET', K.dialing, number)
        if owner and redis.call('HEXISTS', job_key(owner), 'mark') == 1 then
            redis.call('ZREM', K.busy_until, number)
        else
            give_number_up(number)
        end
    end
end

-- The call has ended: the number is free after the gap.
local function free_number(id, number, now, gap_ms)
    sweep_numbers(now)
    if redis.call('HGET', K.dialing, number) ~= id then
        return
    end
    if gap_ms > 0 then
        redis.call('ZADD', K.busy_until, now + gap_ms, number)
    else
        give_number_up(number)
    end
end
