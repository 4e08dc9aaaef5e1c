-- Calls on the line, by the rank of their status.

-- Rank of the first status with which nobody is on the line any more, as in `call_status.py`.
local LINE_ENDED = 8

local function note_line(mem, rank)
    if rank < LINE_ENDED then
        redis.call('ZADD', K.line, rank, mem)
    else
        redis.call('ZREM', K.line, mem)
    end
end
