-- Attempts at calls that are not wanted any more: one that rings after all is ended.

-- How long that is remembered, ms: Twilio keeps a call queued for a day at most.
local REVOKED_MS = 172800000

-- Remembers the tokens of a record's attempts of which no ring is known.
local function revoke(key, now)
    local job = redis.call('HMGET', key, 'attempt', 'sid', 'past')
    if job[1] and not job[2] then
        redis.call('ZADD', K.revoked, now, job[1])
    end
    for line in string.gmatch(job[3] or '', '[^\n]+') do
        local attempt = cjson.decode(line)
        if attempt['token'] and not attempt['sid'] then
            redis.call('ZADD', K.revoked, now, attempt['token'])
        end
    end
    redis.call('ZREMRANGEBYSCORE', K.revoked, '-inf', now - REVOKED_MS)
end
