-- The SIDs that are accounted for.

-- A SID is accounted for from now on; those of long ago are forgotten.
local function note_sid(sid, now, ttl)
    redis.call('ZADD', K.sids, now, sid)
    redis.call('ZREMRANGEBYSCORE', K.sids, '-inf', now - tonumber(ttl))
end
