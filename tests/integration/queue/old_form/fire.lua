local K = { outbox_lost = '{calls}:outbox:lost', outbox_details = '{calls}:outbox:details', outbox_finals = '{calls}:outbox:finals', outbox_gone = '{calls}:outbox:gone', gone = '{calls}:gone:', outbox_last = '{calls}:outbox:last', totals = '{calls}:totals', job = '{calls}:job:', wake = '{calls}:wake', staging = '{calls}:staging', delayed = '{calls}:delayed', waiting = '{calls}:waiting:', schedule = '{calls}:schedule:', schedules = '{calls}:schedules', runs = '{calls}:runs:' }
local C = { late = 3, ok = 0 }
local OUTBOX_MAX = 100000
if redis.replicate_commands then
    redis.replicate_commands()
end
local script_now = nil
local function now_ms()
    if not script_now then
        local time = redis.call('TIME')
        script_now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    end
    return script_now
end

local LOG_FINAL = { completed = true, failed = true, cancelled = true, removed = true, revived = true,
    line_ended = true }
local LOG_UNCOUNTED = { taken = true, started = true }

local log_groups, log_last, log_open, log_dropped = {}, {}, {}, {}

local function log_group(kind, details)
    local group = { kind = kind, ids = {}, count = 0, details = details }
    log_groups[#log_groups + 1] = group
    return group
end
local function log_event(id, kind, details)
    local at = log_open[kind]
    local group = at and not details and at > (log_last[id] or 0) and log_groups[at]
    if not group then
        group = log_group(kind, details)
        log_open[kind] = not details and #log_groups or nil
        at = #log_groups
    end
    log_last[id] = at
    group.count = group.count + 1
    local number = #id <= 13 and string.match(id, '^[1-9]%d*$') and tonumber(id)
    local tail = group.ids[#group.ids]
    if number and group.tail == number - 1 then
        if type(tail) == 'table' then
            tail[2] = number
        else
            group.ids[#group.ids] = { group.tail, number }
        end
    else
        group.ids[#group.ids + 1] = id
    end
    group.tail = number
end
local function thin_log(stream, count, name)
    if count <= 0 then
        return
    end
    local lost = 0
    for _, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', math.min(count, 100))) do
        lost = lost + cjson.decode(entry[2][2])[4]
        redis.call('XDEL', stream, entry[1])
    end
    redis.call('HINCRBY', K.outbox_lost, name, lost)
end

local function bound_log()
    local details, finals = redis.call('XLEN', K.outbox_details), redis.call('XLEN', K.outbox_finals)
    local over = details + finals - OUTBOX_MAX
    if over > 0 then
        thin_log(K.outbox_details, math.min(over, details), 'details')
    end
    if over > details then
        thin_log(K.outbox_finals, over - details, 'finals')
    end
end
local function keep_dropped(last)
    for _, id in ipairs(log_dropped) do
        redis.call('ZADD', K.outbox_gone, last, id)
    end
    while redis.call('ZCARD', K.outbox_gone) > OUTBOX_MAX do
        redis.call('DEL', K.gone .. redis.call('ZPOPMIN', K.outbox_gone)[1])
        redis.call('HINCRBY', K.outbox_lost, 'records', 1)
    end
end
local LEAST_SEQUENCE = 10 ^ 15

local function next_sequences(count)
    local last = redis.call('INCRBY', K.outbox_last, count)
    if last < LEAST_SEQUENCE then
        last = now_ms() * 1000 + count
        redis.call('SET', K.outbox_last, string.format('%.0f', last))
    end
    return last - count
end
local BOUND_EVERY = 8
local function flush_log()
    if #log_groups > 0 then
        local now = now_ms()
        local before = next_sequences(#log_groups)
        for i, group in ipairs(log_groups) do
            local final = LOG_FINAL[group.kind]
            if not LOG_UNCOUNTED[group.kind] then
                redis.call('HINCRBY', K.totals, 'event:' .. group.kind, group.count)
            end
            local sequence = string.format('%.0f', before + i)
            redis.call('XADD', final and K.outbox_finals or K.outbox_details, sequence .. '-0', 'e',
                cjson.encode({ group.kind, now, group.ids, group.count, group.details }))
            if final or group.kind == 'line' then
                for _, id in ipairs(group.ids) do
                    if type(id) == 'string' and not log_dropped[id] then
                        redis.call('HSET', K.job .. id, 'log', sequence)
                    end
                end
            end
        end
        if before % BOUND_EVERY + #log_groups >= BOUND_EVERY then
            bound_log()
        end
    end
    if #log_dropped > 0 then
        keep_dropped(redis.call('GET', K.outbox_last) or 0)
    end
end
local function member(id)
    return string.char(96 + math.min(#id, 26)) .. id
end

local function job_key(id)
    return K.job .. id
end

local function wake()
    if redis.call('LLEN', K.wake) == 0 then
        redis.call('LPUSH', K.wake, '1')
    end
end
local function is_staged(id)
    local number = tonumber(id)
    for _, bulk in ipairs(redis.call('ZRANGE', K.staging, 0, -1)) do
        local first, count = string.match(bulk, '^(%d+):(%d+)$')
        if number and number >= tonumber(first) and number < first + count then
            return true
        end
    end
    return false
end

local function state_of(id)
    local state = redis.call('HGET', job_key(id), 'state')
    return state and not is_staged(id) and state
end

local function late(deadline, now)
    deadline = tonumber(deadline)
    return deadline > 0 and now > deadline
end

local function enqueue(id, priority, due, now, logged)
    local mem = member(id)
    if not logged then
        log_event(id, 'accepted')
    end
    if due and due > now then
        redis.call('ZADD', K.delayed, due, mem)
        return redis.call('ZRANGE', K.delayed, 0, 0)[1] == mem
    end
    redis.call('ZADD', K.waiting .. priority, now, mem)
    return true
end
local function schedule_key(id)
    return K.schedule .. id
end

local function occurrence(id, tick)
    return string.format('recurring:%s:%s', id, tick)
end
local function set_next(id, tick)
    if tick and tick ~= '' then
        redis.call('HSET', schedule_key(id), 'next', tick)
        redis.call('ZADD', K.schedules, tick, member(id))
    else
        redis.call('HDEL', schedule_key(id), 'next')
        redis.call('ZADD', K.schedules, '+inf', member(id))
    end
end
local function is_open(id, tick)
    local state = state_of(occurrence(id, tick))
    return state and state ~= 'completed' and state ~= 'failed'
end
local function remember_times(key, field, times)
    local kept = {}
    for time in string.gmatch(times .. ' ' .. (redis.call('HGET', key, field) or ''), '%d+') do
        if #kept < 10 then
            kept[#kept + 1] = time
        end
    end
    redis.call('HSET', key, field, table.concat(kept, ' '))
end
local function run()
-- Turns due ticks into jobs and moves their schedules on, both in one step.
--
-- KEYS[1]  schedules
-- ARGV[1]  deadline, unix ms: after it a tick might be later than its schedule allows
-- ARGV[2…] for each schedule: number, revision and tick that this was decided on; the tick
--          that fires, or ''; number of missed ticks; the last of them, newest first,
--          separated by spaces; the last tick of all these; the tick after it, or ''
-- Returns  {ok, now, outcome, …} with an outcome for each schedule, or {late, now}
-- Outcomes 'fired', 'missed' (all were too late), 'skipped' (the occurrence before has not
--          ended), 'lost' (somebody else moved or changed the schedule; nothing is done)
-- Touches  schedule:<id>, schedules, runs:<id>, job:<id>, waiting:<rank>, delayed, wake
local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end

-- Occurrences that are shown, or have to be found by `unschedule`.
local SHOWN = 10
local function note_run(id, tick)
    local runs = K.runs .. id
    redis.call('LPUSH', runs, tick)
    for _ = 1, 3 do
        local oldest = redis.call('LINDEX', runs, SHOWN) and redis.call('LINDEX', runs, -1)
        if not oldest or is_open(id, oldest) then
            break
        end
        redis.call('RPOP', runs)
    end
end

local function make_job(id, tick, rank, data)
    local job = occurrence(id, tick)
    if redis.call('EXISTS', job_key(job)) == 0 then
        redis.call('HSET', job_key(job), 'data', data, 'priority', rank, 'state', 'waiting',
            'at', now, 'due', tick)
        enqueue(job, rank, nil, now)
    end
end

local function fire(id, tick, record)
    local key = schedule_key(id)
    local last = redis.call('LINDEX', K.runs .. id, 0)
    if record.overlap == 'skip' and last and is_open(id, last) then
        redis.call('HINCRBY', key, 'skipped', 1)
        remember_times(key, 'skippedat', tick)
        return 'skipped'
    end
    make_job(id, tick, record.priority, record.data)
    note_run(id, tick)
    redis.call('HINCRBY', key, 'fired', 1)
    return 'fired'
end

local function move(id, revision, tick, fires, missed, missed_at, done, after)
    local key = schedule_key(id)
    local found = redis.call('HMGET', key, 'rev', 'next', 'overlap', 'priority', 'data', 'maxruns')
    if found[1] ~= revision or found[2] ~= tick then
        return 'lost'
    end
    local outcome = 'missed'
    if missed ~= '0' then
        redis.call('HINCRBY', key, 'missed', missed)
        remember_times(key, 'missedat', missed_at)
    end
    if fires ~= '' then
        outcome = fire(id, fires, { overlap = found[3], priority = found[4], data = found[5] })
    end
    redis.call('HSET', key, 'done', done)
    local fired = tonumber(redis.call('HGET', key, 'fired') or 0)
    if found[6] and fired >= tonumber(found[6]) then
        after = ''
    end
    set_next(id, after)
    return outcome
end

local answer = { C.ok, now }
local tell = false
for i = 2, #ARGV, 8 do
    local outcome = move(unpack(ARGV, i, i + 7))
    tell = tell or outcome == 'fired'
    answer[#answer + 1] = outcome
end
if tell then
    wake()
end
return answer

end
local answer = run()
flush_log()
return answer
