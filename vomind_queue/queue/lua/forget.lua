-- Takes the calls to one number out of a part of a sorted set, and says which they were.
--
-- A call that is being placed is left alone: what it will come to is not known yet. One that is on
-- the line is ended.
--
-- KEYS[1]  the sorted set: jobs of a state, or outbox:gone
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  cursor, '0' at first
-- ARGV[3]  the number
-- ARGV[4]  'job', 'active' or 'gone': what the set holds
-- Returns  {ok, now, next cursor, id, accepted ms, state, …} or {late, now}
-- Touches  the set, job:<id>, gone:<id>, outbox:forgotten, orphans, due
--- @include "clock"
--- @include "hang_up"
--- @include "job"
--- @include "log_key"
--- @include "memory"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
free_first()
local sought = '{"to":"' .. ARGV[3] .. '"'
local part = redis.call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', 500)
local answer = { C.ok, now, part[1] }
for i = 1, #part[2], 2 do
    local mem = part[2][i]
    local id = ARGV[4] == 'gone' and mem or id_of(mem)
    local key = (ARGV[4] == 'gone' and K.gone or K.job) .. id
    local job = redis.call('HMGET', key, 'data', 'at', 'state')
    if job[1] and string.sub(job[1], 1, #sought) == sought then
        if ARGV[4] ~= 'active' then
            hang_up(id, now)
            redis.call('ZREM', KEYS[1], mem)
            redis.call('DEL', key)
            redis.call('ZADD', K.outbox_forgotten, now, log_key(id, job[2]))
        end
        for _, value in ipairs({ id, job[2], job[3] }) do
            answer[#answer + 1] = value
        end
    end
end
return answer
