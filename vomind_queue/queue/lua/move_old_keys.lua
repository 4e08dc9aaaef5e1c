-- Moves what versions before 0.9.0 stored under other names, a part at a time.
--
-- Safe to repeat. A process of the old version that still runs may write to the old keys again:
-- that is merged into the new ones.
--
-- KEYS[1]  reconciling
-- ARGV[1]  members of each set to merge at most
-- Returns  {now, 1 while there is more to move, else 0}
-- Touches  reconciling, status_polls, orphans, counts, totals, notify, due, old reconciling,
--          old status_polls, old orphans, old notify
--- @include "clock"
--- @include "due"
--- @include "memory"
--- @include "notify"
--- @include "old_keys"

local now, most = now_ms(), tonumber(ARGV[1])

-- The earlier of two times counts: a check that comes too soon does no harm.
local function merge_times(old, new)
    local part = redis.call('ZRANGE', old, 0, most - 1, 'WITHSCORES')
    for i = 1, #part, 2 do
        local has = redis.call('ZSCORE', new, part[i])
        if not has or tonumber(part[i + 1]) < tonumber(has) then
            set_due(new, part[i], part[i + 1], now)
        end
        redis.call('ZREM', old, part[i])
    end
end

local function move_times(old, new)
    if redis.call('EXISTS', old) == 0 then
        return
    end
    if redis.call('EXISTS', new) == 0 then
        redis.call('RENAME', old, new)
        if redis.call('LLEN', K.due) == 0 then
            redis.call('LPUSH', K.due, '1')
        end
    else
        merge_times(old, new)
    end
end

local function move_count(hash, old, new)
    local count = redis.call('HGET', hash, old)
    if count then
        redis.call('HDEL', hash, old)
        redis.call('HINCRBY', hash, new, count)
    end
end

if has_old_keys() then
    free_first()
    move_times(K.old_reconciling, K.reconciling)
    move_times(K.old_status_polls, K.status_polls)
    move_times(K.old_orphans, K.orphans)
    if redis.call('DEL', K.old_notify) == 1 then
        notify()
    end
end
move_count(K.counts, 'strays', 'orphans')
move_count(K.totals, 'failure:doubt', 'failure:unknown')
return { now, has_old_keys() and 1 or 0 }
