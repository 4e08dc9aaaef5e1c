-- The circuit breaker: stops starts while Twilio processes nothing.

-- Refusals in a row after which the circuit opens.
local BREAKER_THRESHOLD = 5

-- What the breaker's record says, as long as this script does not change it.
local breaker_read = nil

local function breaker()
    breaker_read = breaker_read or redis.call('HMGET', K.breaker, 'refusals', 'next')
    return breaker_read
end

local function change_breaker(...)
    redis.call(...)
    breaker_read = nil
end

-- Returns nil while the circuit is closed, else the time of the next probe.
local function breaker_next()
    local refusals, next_probe = unpack(breaker())
    if refusals and tonumber(refusals) >= BREAKER_THRESHOLD then
        return tonumber(next_probe or 0)
    end
    return nil
end
