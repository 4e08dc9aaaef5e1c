-- Background work that is due at a time, and the list that wakes a worker for it.

-- Workers check unasked after so long at the latest, ms; `background_jobs.py` has the time for one worker
-- alone, and they share the checks.
local UNASKED_MS = 50000

local function notify_due()
    if redis.call('LLEN', K.due) == 0 then
        redis.call('LPUSH', K.due, '1')
    end
end

-- Adds a member to a set by when it is due. A worker sleeps until the soonest that it knows of.
local function set_due(set, mem, due, now)
    redis.call('ZADD', set, due, mem)
    local soon = due - now < UNASKED_MS and redis.call('ZRANGE', set, 0, 0)[1] == mem
    if soon then
        notify_due()
    end
end
