-- Writes a part of a bulk that nobody can see before `commit`.
--
-- The records are written as they will be, so that nothing is left for the commit
-- but their places. Until then the bulk's entry in `staging` hides them.
--
-- KEYS[1]  counter of job ids
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  first id of the bulk, or '' to begin one
-- ARGV[3]  when the bulk began, unix ms, as its first part was answered; or '' to begin one
-- ARGV[4]  number of calls in the whole bulk
-- ARGV[5]  how long a bulk may stay staged, ms
-- ARGV[6]  index of the first call of this part within the bulk
-- ARGV[7]  campaign that they belong to, or ''
-- ARGV[8…] for each call: data (JSON), rank of its priority, due ms or '', delay ms or '',
--          latest start as in `includes/expiry.lua`
-- Returns  {ok, now, first id} or {late, now}; late also when the bulk was dropped meanwhile
-- Touches  job:<id>, id, staging, expiring, due
--- @include "clock"
--- @include "expiry"
--- @include "job"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
local count = tonumber(ARGV[4])
local first, began = tonumber(ARGV[2]), tonumber(ARGV[3]) or now
if not first then
    first = redis.call('INCRBY', K.last_id, count) - count + 1
elseif not redis.call('ZSCORE', K.staging, string.format('%d:%d', first, count)) then
    return { C.late, now }
end
redis.call('ZADD', K.staging, now + tonumber(ARGV[5]), string.format('%d:%d', first, count))
local id = first + tonumber(ARGV[6])
for i = 8, #ARGV, 5 do
    local key = job_key(string.format('%d', id))
    local due = tonumber(ARGV[i + 2]) or (ARGV[i + 3] ~= '' and began + tonumber(ARGV[i + 3])) or nil
    local state = (due and due > began) and 'delayed' or 'waiting'
    redis.call('HSET', key, 'data', ARGV[i], 'priority', ARGV[i + 1], 'state', state, 'at', began)
    if due then
        redis.call('HSET', key, 'due', string.format('%d', due))
    end
    if ARGV[7] ~= '' then
        redis.call('HSET', key, 'c', ARGV[7])
        if state == 'delayed' then
            redis.call('HSET', key, 'part', state)
        end
    end
    if ARGV[i + 4] ~= '' then
        local latest = latest_start(ARGV[i + 4], math.max(due or began, began))
        set_expiry(string.format('%d', id), latest, now)
    end
    id = id + 1
end
return { C.ok, now, string.format('%d', first) }
