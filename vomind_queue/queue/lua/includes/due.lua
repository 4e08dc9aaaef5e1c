-- What a worker has to see to at its time, and the word that wakes one.

-- Workers look unasked after so long at the latest, ms; `background_jobs.py` has the time for one worker
-- alone, and they share the looks.
local UNASKED_MS = 50000

-- Puts something into a set by when it is due. A worker sleeps until what it knows of.
local function set_due(set, mem, due, now)
    redis.call('ZADD', set, due, mem)
    local soon = due - now < UNASKED_MS and redis.call('ZRANGE', set, 0, 0)[1] == mem
    if soon and redis.call('LLEN', K.due) == 0 then
        redis.call('LPUSH', K.due, '1')
    end
end
