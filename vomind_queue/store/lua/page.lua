-- A page of one state's jobs with their records, all of one moment. Writes nothing.
--
-- KEYS[…]  the state's sorted sets, in the order in which they are listed
-- ARGV[1]  index of the first job wanted, from 0
-- ARGV[2]  index of the last one
-- ARGV[3]  '1' for the highest score first
-- Returns  {total, id, {field, value, …}, id, {…}, …}
-- Touches  the sorted sets, job:<id>
local first, last = tonumber(ARGV[1]), tonumber(ARGV[2])
local total = 0
local answer = { 0 }
for _, set in ipairs(KEYS) do
    local size = redis.call('ZCARD', set)
    local from, to = math.max(first - total, 0), last - total
    if from < size and to >= 0 then
        local command = ARGV[3] == '1' and 'ZREVRANGE' or 'ZRANGE'
        for _, mem in ipairs(redis.call(command, set, from, to)) do
            answer[#answer + 1] = id_of(mem)
            answer[#answer + 1] = redis.call('HGETALL', job_key(id_of(mem)))
        end
    end
    total = total + size
end
answer[1] = total
return answer
