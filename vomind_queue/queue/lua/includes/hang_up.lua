-- Ends the call that a job has on the line: a worker asks Twilio for it.
--- @include "due"
--- @include "job"

-- Rank of the first status that ends a call, as in `status_callback`.
local ENDED = 8

-- Whether the job's call may still be on the line, and will be ended.
local function hang_up(id, now)
    local call = redis.call('HMGET', job_key(id), 'state', 'sid', 'over', 'rank')
    if call[1] ~= 'completed' or not call[2] or call[3] or tonumber(call[4] or 0) >= ENDED then
        return false
    end
    -- However it ends now, it is not placed again.
    redis.call('HSET', job_key(id), 'hungup', now)
    set_due(K.orphans, call[2], now, now)
    return true
end
