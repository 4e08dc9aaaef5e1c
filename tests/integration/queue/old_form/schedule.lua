local K = { nothing = '{calls}:nothing', request = '{calls}:request:', schedule = '{calls}:schedule:', schedules = '{calls}:schedules', identities = '{calls}:identities', last_schedule = '{calls}:scheduleid' }
local C = { late = 3, mismatch = 2, replay = 1, missing = 4, superseded = 8, wrong_state = 5, ok = 0 }
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

local freed = false

local function free_first()
    if not freed then
        redis.call('DEL', K.nothing)
        freed = true
    end
end

local function member(id)
    return string.char(96 + math.min(#id, 26)) .. id
end

local function late(deadline, now)
    deadline = tonumber(deadline)
    return deadline > 0 and now > deadline
end

local function answered(deadline, name, fingerprint, now)
    if late(deadline, now) then
        return { C.late, now }
    end
    if name == '' then
        return nil
    end
    local seen = redis.call('HMGET', K.request .. name, 'fingerprint', 'first', 'count', 'at')
    if not seen[1] then
        return nil
    end
    if seen[1] ~= fingerprint then
        return { C.mismatch, now }
    end
    return { C.replay, now, seen[2], seen[3], seen[4] }
end
local function remember(name, fingerprint, ttl, first, count, now)
    if name == '' then
        return
    end
    local request = K.request .. name
    redis.call('HSET', request, 'fingerprint', fingerprint, 'first', first, 'count', count, 'at', now)
    redis.call('PEXPIRE', request, ttl)
end
local function schedule_key(id)
    return K.schedule .. id
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
-- Stores a recurring call, or changes one.
--
-- KEYS[1]  schedules
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  name of the idempotency key, or ''
-- ARGV[3]  fingerprint of the request, or ''
-- ARGV[4]  how long the request is remembered, ms
-- ARGV[5]  number of the schedule to change; '' for the one of that identity, or a new one
-- ARGV[6]  revision that is changed; '' for whichever
-- ARGV[7]  identity; '' for the one that it has
-- ARGV[8]  next tick, unix ms, or ''
-- ARGV[9]  '1': a tick that is due already and did not fire yet is kept
-- ARGV[10…] fields of the record that a person sets, and their values; '' for absent
-- Returns  {ok | replay, now, number, 'recurring' | 'paused' | 'ended' and runs left from 0 to 3
--          with a colon between them, accepted ms}, {mismatch | late, now}, {missing, now},
--          {superseded, now, last tick that was seen to or 0}: read it again, or ask for a later
--          tick, or {wrong_state, now, number of another schedule with that identity}
-- Touches  schedule:<id>, schedules, identities, scheduleid, request:<key>
local now = now_ms()
local answer = answered(ARGV[1], ARGV[2], ARGV[3], now)
if answer then
    return answer
end
local id, identity, tick = ARGV[5], ARGV[7], ARGV[8]
local known = identity ~= '' and redis.call('HGET', K.identities, identity)
local asked = id ~= ''
if asked then
    local revision = redis.call('HGET', schedule_key(id), 'rev')
    if not revision then
        return { C.missing, now }
    end
    if revision ~= ARGV[6] then
        return { C.superseded, now, 0 }
    end
    if known and known ~= id then
        return { C.wrong_state, now, known }
    end
end
-- A tick that was seen to since the caller looked must not come again.
local done = tonumber((asked or known) and redis.call('HGET', schedule_key(asked and id or known), 'done') or 0)
if tick ~= '' and tonumber(tick) <= done then
    return { C.superseded, now, done }
end
if asked then
    -- One that is known can be paused when memory is full, too.
    free_first()
else
    id = known or string.format('%d', redis.call('INCR', K.last_schedule))
end

local key = schedule_key(id)
local before = redis.call('HMGET', key, 'next', 'identity')
if identity == '' then
    identity = before[2]
end
for i = 10, #ARGV, 2 do
    if ARGV[i + 1] == '' then
        redis.call('HDEL', key, ARGV[i])
    else
        redis.call('HSET', key, ARGV[i], ARGV[i + 1])
    end
end
if before[2] and before[2] ~= identity then
    redis.call('HDEL', K.identities, before[2])
end
redis.call('HSET', K.identities, identity, id)
redis.call('HSETNX', key, 'at', now)
redis.call('HSET', key, 'identity', identity, 'updated', now)
redis.call('HINCRBY', key, 'rev', 1)

local record = redis.call('HMGET', key, 'start', 'end', 'maxruns', 'fired', 'pausedby')
local from, till = tonumber(record[1] or 0), tonumber(record[2] or math.huge)
local pending = tonumber(before[1] or math.huge)
if ARGV[9] == '1' and pending <= now and pending >= from and pending <= till then
    tick = before[1]
end
if pending <= now and (record[5] or tick ~= before[1]) then
    -- It was due, and will not fire.
    redis.call('HINCRBY', key, 'missed', 1)
    remember_times(key, 'missedat', before[1])
    redis.call('HSET', key, 'done', before[1])
end
local left = tonumber(record[3] or math.huge) - tonumber(record[4] or 0)
if left <= 0 or record[5] then
    tick = ''
end
set_next(id, tick)
local status = record[5] and 'paused' or (tick == '' and 'ended') or 'recurring'
local standing = string.format('%s:%d', status, math.max(0, math.min(left, 3)))
remember(ARGV[2], ARGV[3], ARGV[4], id, standing, now)
return { C.ok, now, id, standing, now }

end
local answer = run()
return answer
