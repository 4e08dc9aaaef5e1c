-- Lists that were uploaded: each is a hash, the ids of its calls another one, and both go on one day.

-- Keeps a list for another while. Who forgets a person looks at those that the sorted set has.
local function renew_list(id, kept, now)
    redis.call('ZADD', K.staged_lists, now + kept, id)
    redis.call('PEXPIRE', K.staged_list .. id, kept)
    redis.call('PEXPIRE', K.list_jobs .. id, kept)
end
