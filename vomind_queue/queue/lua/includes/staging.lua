-- Bulks whose records are written and that are not there yet.

-- Whether a job belongs to a bulk that is not there yet, though its record is.
local function is_staged(id)
    local number = tonumber(id)
    for _, bulk in ipairs(redis.call('ZRANGE', K.staging, 0, -1)) do
        local first, count = string.match(bulk, '^(%d+):(%d+)$')
        if number and number >= tonumber(first) and number < first + count then
            return true
        end
    end
    return false
end
