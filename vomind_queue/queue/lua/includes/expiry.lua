-- When calls expire: the latest time at which an attempt of each may start.
--- @include "due"
--- @include "job"

-- Returns the latest start that is wanted, unix ms, or nil. `wanted` is that time, or '+' and how long
-- after the call is due, or ''.
local function latest_start(wanted, due)
    local after = string.match(wanted, '^%+(%d+)$')
    return after and due + tonumber(after) or tonumber(wanted)
end

-- Whether that time has passed.
local function is_expired(latest, now)
    return latest and tonumber(latest) < now
end

-- Arranges that a call that waits or is delayed ends once its latest start, if any, has passed.
local function watch_expiry(mem, latest, now)
    if latest then
        -- The first millisecond that is too late.
        set_due(K.expiring, mem, tonumber(latest) + 1, now)
    end
end

-- Sets or removes the latest start of a call that waits or is delayed.
local function set_expiry(id, latest, now)
    if latest then
        redis.call('HSET', job_key(id), 'notafter', string.format('%.0f', latest))
        watch_expiry(member(id), latest, now)
    elseif redis.call('HDEL', job_key(id), 'notafter') == 1 then
        redis.call('ZREM', K.expiring, member(id))
    end
end
