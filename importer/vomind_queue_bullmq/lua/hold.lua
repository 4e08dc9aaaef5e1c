-- Sets jobs aside, each only if it is still where it was seen and no worker holds it.
--
-- KEYS[1]  the set or list that they are in
-- ARGV[1]  what all keys of the queue begin with
-- ARGV[2]  name of that set
-- ARGV[3…] for each job: id and place
-- Returns  ids of those that were put aside
local base, state = ARGV[1], ARGV[2]
local ours = base .. 'vomind:'
local kind = redis.call('TYPE', KEYS[1])['ok']

local function remove(id)
    if kind == 'list' then
        -- The next one to be started stands at the end.
        return redis.call('LREM', KEYS[1], -1, id) == 1
    end
    return redis.call('ZREM', KEYS[1], id) == 1
end

local held = {}
for i = 3, #ARGV, 2 do
    local id, place = ARGV[i], ARGV[i + 1]
    local key = base .. id
    if redis.call('EXISTS', key) == 1 and redis.call('EXISTS', key .. ':lock') == 0 and remove(id) then
        redis.call('RENAME', key, ours .. 'job:' .. id)
        redis.call('HSET', ours .. 'job:' .. id, 'vomind:state', state, 'vomind:place', place)
        redis.call('SREM', base .. 'stalled', id)
        redis.call('ZADD', ours .. 'held', redis.call('INCR', ours .. 'sequence'), 'job:' .. id)
        held[#held + 1] = id
    end
end
return held
