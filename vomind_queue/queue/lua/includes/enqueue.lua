-- An accepted call's first place.
--- @include "job"
--- @include "log"
--- @include "waiting"

-- An accepted job goes to its first place. Returns whether a worker must be notified.
-- `logged`: the caller notes for the log that it was accepted, many calls at once. `campaign`, optional:
-- whose call it is.
local function enqueue(id, priority, due, now, logged, campaign)
    local mem = member(id)
    if not logged then
        log_event(id, 'accepted')
    end
    if due and due > now then
        redis.call('ZADD', K.delayed, due, mem)
        return redis.call('ZRANGE', K.delayed, 0, 0)[1] == mem
    end
    redis.call('ZADD', waiting_set(priority, campaign), now, mem)
    return true
end
