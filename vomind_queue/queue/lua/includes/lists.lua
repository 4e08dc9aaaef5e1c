-- Lists that were uploaded: each is a hash, with other ones beside it that go on the same day.

-- Returns the keys of a list: itself, the ids of its calls, its file, and the pages of its rows,
-- both those that are shown and those that are being written.
local function keys_of_list(id)
    local list = K.staged_list .. id
    local found = { list, K.list_jobs .. id, K.list_file .. id }
    local shown, written = unpack(redis.call('HMGET', list, 'pages', 'token'))
    for _, token in ipairs({ shown or '', written or '' }) do
        found[#found + 1] = K.list_pages .. id .. ':' .. token
    end
    return found
end

-- Keeps a list for another while. Who forgets a person looks at those that the sorted set has.
-- While nobody knows whether some of its rows are calls it is not kept longer: the key that would tell is
-- forgotten after a day.
local function renew_list(id, kept, now)
    local list = K.staged_list .. id
    local left = redis.call('PTTL', list)
    if left > 0 and redis.call('HEXISTS', list, 'sending') == 1 then
        kept = left
    end
    redis.call('ZADD', K.staged_lists, now + kept, id)
    for _, key in ipairs(keys_of_list(id)) do
        redis.call('PEXPIRE', key, kept)
    end
end
