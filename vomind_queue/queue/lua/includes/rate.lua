-- How many calls may start within a window.

-- The rate in force: an operator's change, else what the worker is set to. 0 is no limit.
local rate_change = nil

local function rate_in_force(max, window)
    if rate_change == nil then
        rate_change = redis.call('GET', K.rate)
    end
    local change = rate_change
    if not change then
        return tonumber(max), tonumber(window)
    end
    if change == 'off' then
        return 0, 0
    end
    local m, w = string.match(change, '^(%d+):(%d+)$')
    return tonumber(m), tonumber(w)
end
