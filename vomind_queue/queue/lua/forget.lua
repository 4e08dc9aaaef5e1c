-- Takes the calls to one number out of a part of a sorted set, and says which they were.
--
-- One that is on the line is ended. One that is being placed stays until it is known what it comes to:
-- then `finish` ends it and erases it.
--
-- KEYS[1]  the sorted set: jobs of a state, or outbox:gone
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  cursor, '0' at first
-- ARGV[3]  'job', 'active' or 'gone': what the set holds
-- ARGV[4]  the last digits of the number
-- ARGV[5…] the number, in every spelling that is known
-- Returns  {ok, now, next cursor, {other number that ends so, …}, id, state, …} or {late, now};
--          `active`: it is being placed, and not out yet
-- Touches  the set, job:<id>, delayed, held:<kind>, gone:<id>, leases, window, expiring,
--          outbox:forgotten, orphans, revoked, due, dialing, busy_until, line,
--          starts:<kind><period>:<digits>, campaign:<id>, campaigns, open_campaigns, turns:<rank>,
--          shares, notify, waiting:<rank>, resting, campaign_starts:<id>, outbox
--- @include "busy_number"
--- @include "clock"
--- @include "erase"
--- @include "hang_up"
--- @include "job"
--- @include "memory"
--- @include "notify"
--- @include "number"
--- @include "starts"
--- @include "window"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
free_first()
local known, others = {}, {}
for i = 5, #ARGV do
    known[ARGV[i]] = true
end

-- Takes one out, unless its phone may ring by now; its state.
local function take_out(mem, id, key)
    local job = redis.call('HMGET', key, 'state', 'mark', 'lease', 'c')
    if ARGV[3] == 'active' then
        if job[2] then
            redis.call('HSET', key, 'forgotten', now)
            return 'active'
        end
        -- Claimed, but not begun: the start that was reserved is not made.
        redis.call('ZREM', K.leases, mem)
        give_start_back(job[3] or '', job[4], now)
        redis.call('HSET', key, 'state', 'waiting')
        notify()
        job[1] = 'waiting'
    elseif ARGV[3] == 'job' then
        hang_up(id, now)
    end
    redis.call('ZREM', KEYS[1], mem)
    erase(key, id, now)
    return job[1]
end

-- What is kept of the number beside the records of its calls.
for number in pairs(known) do
    local owner = redis.call('HGET', K.dialing, number)
    if not owner or redis.call('HEXISTS', job_key(owner), 'mark') == 0 then
        give_number_up(number)
    end
    forget_history(person_of(number), now)
end

local part = redis.call('ZSCAN', KEYS[1], ARGV[2], 'COUNT', 500)
local answer = { C.ok, now, part[1], others }
for i = 1, #part[2], 2 do
    local mem = part[2][i]
    local id = ARGV[3] == 'gone' and mem or id_of(mem)
    local key = (ARGV[3] == 'gone' and K.gone or K.job) .. id
    local data = redis.call('HGET', key, 'data')
    local number = data and number_of(data)
    if number and known[number] then
        answer[#answer + 1] = id
        answer[#answer + 1] = take_out(mem, id, key)
    elseif number and string.sub(number, -#ARGV[4]) == ARGV[4] then
        others[#others + 1] = number
    end
end
return answer
