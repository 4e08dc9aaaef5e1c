-- Says what the calls of a campaign wait for. Writes nothing.
--
-- KEYS[1]  campaigns
-- ARGV[1]  id
-- ARGV[2]  calls that are looked at for each kind of rule
-- ARGV[3…] kinds of rules that hold calls
-- Returns  {now, calls started within the pace's window, until its pace lets another one start, ms,
--           calls that wait at its lowest priority or a higher one, kind of rule, when the first call of
--           the campaign that it holds is due, …}; {now} for no such campaign
-- Touches  campaign:<id>, campaign_starts:<id>, window, waiting:<rank>, held:<kind>, job:<id>,
--          open_campaigns
--- @include "clock"
--- @include "job"
--- @include "turns"
--- @include "waiting"
--- @include "window"

local now, id = now_ms(), ARGV[1]
local found = redis.call('HMGET', K.campaign .. id, 'state', 'pace', 'n:delayed')
if not found[1] then
    return { now }
end
local used, reset = 0, 0
local max, window = pace_of(found[2])
if max then
    used, reset = window_use(now, max, window, K.campaign_starts .. id)
end

-- Calls that wait, of all campaigns and of none, down to the lowest priority of this one's.
local function ahead()
    local all, counted = 0, 0
    for rank = 1, 3 do
        all = all + waiting_count(rank)
        if redis.call('EXISTS', waiting_set(rank, id)) == 1 then
            counted = all
        end
    end
    return counted
end

-- When the first call of the campaign that a rule holds is due, as far as one is among the first; nil for none.
local function first_held(kind)
    local first = redis.call('ZRANGEBYSCORE', K.held .. kind, now, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])
    for i = 1, #first, 2 do
        if redis.call('HGET', job_key(id_of(first[i])), 'c') == id then
            return first[i + 1]
        end
    end
end

local answer = { now, used, reset, ahead() }
if tonumber(found[3] or 0) > 0 then
    for i = 3, #ARGV do
        local due = first_held(ARGV[i])
        if due then
            answer[#answer + 1] = ARGV[i]
            answer[#answer + 1] = due
        end
    end
end
return answer
