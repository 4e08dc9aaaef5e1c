-- Wakes one sleeping worker.

local function wake()
    if redis.call('LLEN', K.wake) == 0 then
        redis.call('LPUSH', K.wake, '1')
    end
end
