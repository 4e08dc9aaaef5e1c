-- The do-not-call list: numbers that never ring.
--
-- Besides numbers, the sorted set has keyed digests of people who were forgotten. Two members have
-- the score 0: `restored` if the list is complete, and `#` if there are digests.

-- Whether a number is on it in the clear.
local function is_listed(number)
    return redis.call('ZSCORE', K.do_not_call, number) and true or false
end

-- What stands for a number whose person was forgotten: HMAC-SHA1 over it, as in `number_key.py`.
local function digest_of(number, inner, outer, fingerprint)
    local raw = string.gsub(redis.sha1hex(inner .. number), '..', function(byte)
        return string.char(tonumber(byte, 16))
    end)
    return '#' .. fingerprint .. ':' .. redis.sha1hex(outer .. raw)
end

-- Returns 'listed' or 'free'; 'unknown' if the list is incomplete, or its digests were made with
-- another key. Without digests, one command is enough. `whole`: '1' if it must have been restored; the
-- rest are the parts of the key, or ''.
local function list_says(number, whole, inner, outer, fingerprint)
    local found = redis.call('ZMSCORE', K.do_not_call, number, 'restored', '#')
    if found[1] then
        return 'listed'
    end
    if whole == '1' and not found[2] then
        return 'unknown'
    end
    if not found[3] then
        return 'free'
    end
    if fingerprint == '' or redis.call('HGET', K.do_not_call_entries, '#') ~= fingerprint then
        return 'unknown'
    end
    return is_listed(digest_of(number, inner, outer, fingerprint)) and 'listed' or 'free'
end

-- The next place on the list.
local function next_place()
    return tonumber(redis.call('ZREVRANGE', K.do_not_call, 0, 0, 'WITHSCORES')[2] or 0) + 1
end

-- Notes a change for the call log: `...` are fields and values.
local function note_change(action, number, ...)
    redis.call('XADD', K.do_not_call_outbox, '*', 'action', action, 'number', number, ...)
end
