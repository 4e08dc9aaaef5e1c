-- Lets a script go on where the server is full.

-- Under maxmemory with noeviction the first write of a script decides: when it
-- is one that only frees, the others are let through, too.
local freed = false

-- `...`: the command that only frees, where the script has one to begin with.
local function free_first(...)
    if not freed then
        if ... then
            redis.call(...)
        else
            redis.call('DEL', K.nothing)
        end
        freed = true
    end
end
