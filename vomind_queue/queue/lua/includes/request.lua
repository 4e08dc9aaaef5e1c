-- A request of the API and its repetitions.
--- @include "clock"

-- The answer to a request that comes too late or was answered before; nil for a new one.
local function answered(deadline, name, fingerprint, now)
    if late(deadline, now) then
        return { C.late, now }
    end
    if name == '' then
        return nil
    end
    local seen = redis.call('HMGET', K.request .. name, 'fingerprint', 'first', 'count', 'at')
    if not seen[1] then
        return nil
    end
    if seen[1] ~= fingerprint then
        return { C.mismatch, now }
    end
    return { C.replay, now, seen[2], seen[3], seen[4] }
end

-- Keeps what a request with a key is answered, for its repetitions.
local function remember(name, fingerprint, ttl, first, count, now)
    if name == '' then
        return
    end
    local request = K.request .. name
    redis.call('HSET', request, 'fingerprint', fingerprint, 'first', first, 'count', count, 'at', now)
    redis.call('PEXPIRE', request, ttl)
end
