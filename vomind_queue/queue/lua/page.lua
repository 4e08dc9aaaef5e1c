-- A page of one state's jobs, in their order, and the records of the first of them, all of one
-- moment. Writes nothing.
--
-- KEYS[…]  the state's sorted sets, in the order in which they are listed
-- ARGV[1]  index of the first job wanted, from 0
-- ARGV[2]  index of the last one
-- ARGV[3]  '1' for the highest score first
-- ARGV[4]  number of records at most; `records` tells the others
-- Returns  {total, {id, …}, {field, value, …}, {…}, …}
-- Touches  the sorted sets, job:<id>, campaign:<id>, open_campaigns, waiting:<rank>
--- @include "campaign"
--- @include "job"
--- @include "waiting"

local first, last = tonumber(ARGV[1]), tonumber(ARGV[2])
local total = 0
local ids = {}

-- The sets, those of campaigns after the one for the calls of none.
local sets = {}
for _, set in ipairs(KEYS) do
    sets[#sets + 1] = set
    local rank = string.sub(set, 1, #K.waiting) == K.waiting and string.sub(set, #K.waiting + 1)
    for _, campaign in ipairs(rank and open_campaigns() or {}) do
        sets[#sets + 1] = waiting_set(rank, campaign)
    end
end
for _, set in ipairs(sets) do
    local size = redis.call('ZCARD', set)
    local from, to = math.max(first - total, 0), last - total
    if from < size and to >= 0 then
        local command = ARGV[3] == '1' and 'ZREVRANGE' or 'ZRANGE'
        for _, mem in ipairs(redis.call(command, set, from, to)) do
            ids[#ids + 1] = id_of(mem)
        end
    end
    total = total + size
end
local answer = { total, ids }
for i = 1, math.min(#ids, tonumber(ARGV[4])) do
    answer[i + 2] = is_withdrawn(ids[i]) and {} or redis.call('HGETALL', job_key(ids[i]))
end
return answer
