-- Ends a call whose latest start has passed.
--- @include "fail_unplaced"

-- `age` and `keep`: how long and how many failed calls are kept.
local function expire(id, age, keep)
    local reason = 'Expired: its latest start (notAfter) passed before it was placed.'
    if redis.call('EXISTS', K.paused) == 1 then
        reason = reason .. ' The queue is paused.'
    end
    fail_unplaced(id, 'expired', reason, age, keep)
end
