-- Hands a reconciler attempts with an unknown outcome that are due for a check.
--
-- Each is delayed by a lease, so that a reconciler that dies leaves it to the next.
--
-- KEYS[1]  reconciling
-- ARGV[1]  attempts wanted at most
-- ARGV[2]  length of the lease, ms
-- Returns  {now, id, attempt token, data, marker, checks so far, attempts, round,
--          whether callbacks were asked for: '1' | '0' | '' in an old marker,
--          how long it may ring in ms, number that it comes from: '' in an old marker, …}
-- Touches  job:<id>, reconciling, leases
--- @include "clock"
--- @include "job"
--- @include "ring"

local now = now_ms()
local answer = { now }
for _, mem in ipairs(redis.call('ZRANGEBYSCORE', K.reconciling, '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))) do
    local id = id_of(mem)
    local job = redis.call('HMGET', job_key(id), 'attempt', 'data', 'mark', 'looks', 'attempts', 'round',
        'callbacks', 'ring', 'from')
    -- A call that is leased is being placed: an old process may have left it here.
    if job[3] and not redis.call('ZSCORE', K.leases, mem) then
        redis.call('ZADD', K.reconciling, now + tonumber(ARGV[2]), mem)
        local at = #answer
        answer[at + 1] = id
        answer[at + 2] = job[1]
        answer[at + 3] = job[2]
        answer[at + 4] = job[3]
        answer[at + 5] = job[4] or '0'
        answer[at + 6] = job[5] or '0'
        answer[at + 7] = job[6] or '0'
        answer[at + 8] = job[7] or ''
        answer[at + 9] = tonumber(job[8] or USUAL_RING_MS)
        answer[at + 10] = job[9] or ''
    else
        redis.call('ZREM', K.reconciling, mem)
    end
end
return answer
