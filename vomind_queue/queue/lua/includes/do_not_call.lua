-- The do-not-call list: numbers that no call goes to.

-- Whether a number is on it. One command: this is asked before each start.
local function is_listed(number)
    return redis.call('ZSCORE', K.do_not_call, number) and true or false
end
