-- A call that is a run of a recurring one.

-- Number of the recurring call that a job is a run of, and its instant; nil for other jobs.
local function run_of(id)
    return string.match(id, '^recurring:(%d+):(%d+)$')
end

-- Whether a job is a run of a recurring call that was stopped for good.
local function is_stopped_run(id)
    local schedule = run_of(id)
    return schedule and redis.call('EXISTS', K.schedule .. schedule, K.old_schedule .. schedule) == 0
end

-- A run that is open again must be found when its recurring call is stopped.
local function hold_run(id)
    local schedule, tick = run_of(id)
    if schedule and not is_stopped_run(id) and not redis.call('LPOS', K.runs .. schedule, tick) then
        redis.call('RPUSH', K.runs .. schedule, tick)
    end
end
