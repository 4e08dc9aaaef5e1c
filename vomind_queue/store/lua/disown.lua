-- Gives back what a worker may have taken and begun, but was never told of.
--
-- KEYS[1]  active
-- ARGV[1…] attempt tokens that nothing was asked for with
-- Returns  {ok, now, calls given back}
-- Touches  job:<id>, waiting:<rank>, delayed, active, leases, settling, window, dialing,
--          wake, outbox
--- @include "clock"
--- @include "held"
--- @include "job"
--- @include "memory"
--- @include "number"

local now = now_ms()
local unknown, count = {}, 0
for _, token in ipairs(ARGV) do
    unknown[token] = true
end
free_first()
for _, mem in ipairs(redis.call('ZRANGE', K.active, 0, -1)) do
    local id = id_of(mem)
    local job = redis.call('HMGET', job_key(id), 'state', 'attempt', 'mark', 'data')
    if job[1] == 'active' and job[3] and unknown[job[2]] then
        free_number(id, number_of(job[4]))
        requeue(id, now, false)
        count = count + 1
    end
end
return { C.ok, now, count }
