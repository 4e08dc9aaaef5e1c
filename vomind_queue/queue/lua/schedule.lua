-- Stores a recurring call, or changes one.
--
-- KEYS[1]  schedules
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  name of the idempotency key, or ''
-- ARGV[3]  fingerprint of the request, or ''
-- ARGV[4]  how long the request is remembered, ms
-- ARGV[5]  number of the schedule to change; '' for the one with that dedup key, or a new one
-- ARGV[6]  revision that is changed; '' for whichever
-- ARGV[7]  dedup key; '' for the one that it has
-- ARGV[8]  next tick, unix ms, or ''
-- ARGV[9]  '1': a tick that is due already and did not fire yet is kept; 'mend': what stands there
--          is no tick, RedBeat wrote it
-- ARGV[10] RedBeat's definition of the entry; '' for the one that it has
-- ARGV[11…] fields of the record that a person sets, and their values; '' for absent
-- Returns  {ok | replay, now, number, 'recurring' | 'paused' | 'ended' and runs left from 0 to 3
--          with a colon between them, and ':updated' where it was there already; behind a line's
--          end, where others ring that number: JSON [how many, [number, next tick, pattern, zone,
--          key or ''], …]; accepted ms}, {mismatch | late, now}, {missing, now},
--          {superseded, now, last tick that was handled or 0}: read it again, or ask for a later
--          tick, or {wrong_state, now, number of another schedule with that dedup key}
-- Touches  redbeat:recurring:<id>, schedule:<id>, schedules, old schedules, identities,
--          recurring_index, runs:<id>, scheduleid, request:<key>, outbox
--- @include "clock"
--- @include "entry"
--- @include "index"
--- @include "memory"
--- @include "request"
--- @include "schedule"
--- @include "told"

-- Other recurring calls of that number are looked at up to so many, and named up to so many.
local LOOKED_AT, NAMED = 100, 10

local function others(id, data)
    local found = {}
    for _, other in ipairs(indexed(string.match(entries_of(id, data)[1], '^.* '), LOOKED_AT + 1)) do
        local key, old = record_of(other)
        local tick = other ~= id and key and tick_of(key, old)
        if tick then
            found[#found + 1] = { other, tick, key }
        end
    end
    table.sort(found, function(a, b) return tonumber(a[2]) < tonumber(b[2]) end)
    local named = { math.min(#found, LOOKED_AT) }
    for i = 1, math.min(#found, NAMED) do
        local fields = redis.call('HMGET', found[i][3], 'cron', 'zone', 'key')
        named[i + 1] = { found[i][1], found[i][2], fields[1] or '', fields[2] or '', fields[3] or '' }
    end
    return #found > 0 and '\n' .. cjson.encode(named) or ''
end

local now = now_ms()
local answer = answered(ARGV[1], ARGV[2], ARGV[3], now)
if answer then
    return answer
end
local id, dedup_key, tick = ARGV[5], ARGV[7], ARGV[8]
local known = dedup_key ~= '' and redis.call('HGET', K.dedup_keys, dedup_key)
-- One that was deleted by RedBeat's means left its dedup key behind.
local gone = known and not record_of(known) and known
known = not gone and known
local asked = id ~= ''
local key, old = record_of(asked and id or known or '')
if asked then
    local revision = key and redis.call('HGET', key, 'rev')
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
-- A tick that was handled since the caller read it must not come again.
local done = tonumber(key and redis.call('HGET', key, 'done') or 0)
if tick ~= '' and tonumber(tick) <= done then
    return { C.superseded, now, done }
end
if asked then
    -- One that is known can be paused when memory is full, too.
    free_first()
else
    id = known or string.format('%d', redis.call('INCR', K.last_schedule))
end
if gone then
    unindex(gone, redis.call('HGET', K.schedule .. gone, 'data'))
    redis.call('DEL', K.schedule .. gone, K.runs .. gone)
end

key = key or K.schedule .. id
local before = { tick_of(key, old), unpack(redis.call('HMGET', key, 'identity', 'data', 'timing', 'pausedby')) }
if dedup_key == '' then
    dedup_key = before[2]
end
for i = 11, #ARGV, 2 do
    if ARGV[i + 1] == '' then
        redis.call('HDEL', key, ARGV[i])
    else
        redis.call('HSET', key, ARGV[i], ARGV[i + 1])
    end
end
local data, timing = unpack(redis.call('HMGET', key, 'data', 'timing'))
if data ~= before[3] then
    unindex(id, before[3])
end
index(id, data)
if before[2] and before[2] ~= dedup_key then
    redis.call('HDEL', K.dedup_keys, before[2])
end
redis.call('HSET', K.dedup_keys, dedup_key, id)
redis.call('HSETNX', key, 'at', now)
redis.call('HSET', key, 'identity', dedup_key, 'updated', now)
redis.call('HINCRBY', key, 'rev', 1)

local record = redis.call('HMGET', key, 'start', 'end', 'maxruns', 'fired', 'pausedby')
local from, till = tonumber(record[1] or 0), tonumber(record[2] or math.huge)
local pending = tonumber(before[1] or math.huge)
-- One that is known by its key may have other times than those that were due.
local retimed = not asked and timing ~= before[4]
if ARGV[9] == '1' and not retimed and pending <= now and pending >= from and pending <= till then
    tick = before[1]
end
if pending <= now and ARGV[9] ~= 'mend' and (record[5] or tick ~= before[1]) then
    -- It was due, and will not fire.
    redis.call('HINCRBY', key, 'missed', 1)
    remember_times(key, 'missedat', before[1])
    redis.call('HSET', key, 'done', before[1])
end
if not old then
    if ARGV[10] ~= '' then
        -- It is told which one it is by now, where it is new.
        redis.call('HSET', key, 'definition', (string.gsub(ARGV[10], '^{"name": "recurring:%d*"',
            string.format('{"name": "recurring:%s"', id))))
    end
    set_enabled(key, not record[5])
    note_meta(key)
end
local left = tonumber(record[3] or math.huge) - tonumber(record[4] or 0)
if left <= 0 or record[5] then
    tick = ''
end
set_next(id, key, old, tick)
local kind = before[3] and 'changed' or 'created'
if before[3] and (record[5] or false) ~= (before[5] or false) then
    kind = record[5] and 'paused' or 'resumed'
end
if ARGV[9] ~= 'mend' then
    note_recurring(id, kind)
end
local status = record[5] and 'paused' or (tick == '' and 'ended') or 'recurring'
local summary = string.format('%s:%d%s', status, math.max(0, math.min(left, 3)),
    known and not asked and ':updated' or '')
if not asked then
    summary = summary .. others(id, data)
end
remember(ARGV[2], ARGV[3], ARGV[4], id, summary, now)
return { C.ok, now, id, summary, now }
