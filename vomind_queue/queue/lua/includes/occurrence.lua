-- The calls that a recurring one made.
--- @include "job"
--- @include "state"

local function occurrence(id, tick)
    return string.format('recurring:%s:%s', id, tick)
end

-- Whether an occurrence has not ended.
local function is_open(id, tick)
    local state = state_of(occurrence(id, tick))
    return state and state ~= 'completed' and state ~= 'failed'
end

-- The last occurrences, newest first: instant and record of the job in turn.
local function last_runs(id, count)
    local found = {}
    for _, tick in ipairs(redis.call('LRANGE', K.runs .. id, 0, count - 1)) do
        found[#found + 1] = tick
        found[#found + 1] = redis.call('HGETALL', job_key(occurrence(id, tick)))
    end
    return found
end
