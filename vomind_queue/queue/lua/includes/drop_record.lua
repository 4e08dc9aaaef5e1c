-- Removes a call's record once the call log has it.
--- @include "job"
--- @include "log"

-- Removes a call's record; while entries of it are on their way it is kept aside.
local function drop_record(id)
    local key = K.job .. id
    local logged = redis.call('HGET', key, 'log')
    redis.call('ZREM', K.line, member(id))
    log_dropped[id] = true
    if log_last[id] or (logged and tonumber(logged) > tonumber(redis.call('GET', K.outbox_shipped) or 0)) then
        redis.call('RENAME', key, K.gone .. id)
        log_dropped[#log_dropped + 1] = id
    else
        redis.call('DEL', key)
    end
end
