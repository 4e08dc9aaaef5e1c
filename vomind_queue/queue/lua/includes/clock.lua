-- What time it is, on Redis's clock.

local script_now = nil

-- The same for as long as a script runs.
local function now_ms()
    if not script_now then
        local time = redis.call('TIME')
        script_now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    end
    return script_now
end

local function late(deadline, now)
    deadline = tonumber(deadline)
    return deadline > 0 and now > deadline
end
