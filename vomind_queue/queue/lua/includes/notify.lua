-- Notifies one sleeping worker.

local function notify()
    if redis.call('LLEN', K.notify) == 0 then
        redis.call('LPUSH', K.notify, '1')
    end
end
