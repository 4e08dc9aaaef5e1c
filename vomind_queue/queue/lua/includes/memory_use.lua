-- How much memory the server uses, and how much it may.

-- Bytes that count towards maxmemory, and maxmemory; 0 where there is none or it is not told.
local function memory_use()
    local info = redis.call('INFO', 'memory')
    local function value(name)
        return tonumber(string.match(info, '\n' .. name .. ':(%d+)') or 0)
    end
    return { value('used_memory') - value('mem_not_counted_for_evict'), value('maxmemory') }
end
