-- Erases the record of a call to a person who is to be forgotten.
--- @include "hours"
--- @include "job"
--- @include "log_key"
--- @include "parts"
--- @include "revoke"

-- Removes a record, a job's or one that is kept aside; its rows are looked for in the log once more.
local function erase(key, id, now)
    if has_campaigns() then
        count_call(key, true)
    end
    revoke(key, now)
    stop_holding(key, member(id))
    redis.call('ZADD', K.outbox_forgotten, now, log_key(id, redis.call('HGET', key, 'at')))
    redis.call('DEL', key)
    redis.call('ZREM', K.expiring, member(id))
    redis.call('ZREM', K.line, member(id))
end
