-- What tells this run of the server from others: one that comes back may come back as it was long ago.

local function server_run()
    return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
end
