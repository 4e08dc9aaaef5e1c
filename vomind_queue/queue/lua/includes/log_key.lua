-- Key of a call's row in the call log.

-- Key of a call's row in the log: ordered by time, and its own even where a server that has
-- lost its data counts ids from 1 again.
local function log_key(id, at)
    return string.format('%015.0f-', tonumber(at)) .. string.rep('0', 12 - #id) .. id
end
