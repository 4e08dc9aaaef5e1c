-- The SIDs that belong to attempts.

-- Notes a SID that belongs to an attempt; those of long ago are forgotten.
local function note_sid(sid, now, ttl)
    redis.call('ZADD', K.sids, now, sid)
    redis.call('ZREMRANGEBYSCORE', K.sids, '-inf', now - tonumber(ttl))
end
