-- Removes a call's record once the call log has it.
--- @include "busy_number"
--- @include "clock"
--- @include "events"
--- @include "job"
--- @include "log"
--- @include "number"
--- @include "parts"

-- No report can end it any more, so the number stays taken for as long as the phone may ring.
local function leave_line(id)
    local job = redis.call('HMGET', job_key(id), 'data', 'finished')
    local number = job[1] and number_of(job[1])
    local held = number and redis.call('HGET', K.dialing, number) == id and
        redis.call('ZSCORE', K.busy_until, number)
    if held then
        local ring_ms = tonumber(held) - LONGEST_CALL_MS - tonumber(job[2])
        redis.call('ZADD', K.busy_until, now_ms() + ring_ms, number)
    end
end

-- Removes a call's record; it is kept aside while the outbox has entries of it.
local function drop_record(id)
    local key = K.job .. id
    local logged = redis.call('HGET', key, 'log')
    if redis.call('ZREM', K.line, member(id)) == 1 then
        leave_line(id)
    end
    if has_campaigns() then
        count_call(key, true)
    end
    log_dropped[id] = true
    if log_last[id] or (logged and tonumber(logged) > released_sequence()) then
        redis.call('RENAME', key, K.gone .. id)
        log_dropped[#log_dropped + 1] = id
    else
        redis.call('DEL', key)
    end
end
