-- What may hold starts back: a pause, the breaker, a rate that an operator set.
--- @include "breaker"
--- @include "rate"

-- Whether any of that stands, or one of these keys. One look at all: as a rule none of them does.
local function any_hold(...)
    if redis.call('EXISTS', K.paused, K.breaker, K.rate, ...) > 0 then
        return true
    end
    breaker_read, rate_change = breaker_read or {}, rate_change or false
    return false
end
