-- Lets a script go on where the server is full.

-- Under maxmemory with noeviction the first write of a script decides: when it
-- is one that only frees, the others are let through, too.
local freed = false

local function free_first()
    if not freed then
        redis.call('DEL', K.nothing)
        freed = true
    end
end
