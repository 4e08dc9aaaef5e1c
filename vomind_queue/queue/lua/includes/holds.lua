-- What may prevent starts: a pause, an open circuit, a rate that an operator set.
--- @include "breaker"
--- @include "rate"

-- Returns whether any of those exists, or one of these keys. One command: as a rule none does.
local function any_hold(...)
    if redis.call('EXISTS', K.paused, K.breaker, K.rate, ...) > 0 then
        return true
    end
    breaker_read, rate_change = breaker_read or {}, rate_change or false
    return false
end
