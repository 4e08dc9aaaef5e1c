-- The calls of a campaign that have not started, of those with certain ids. Writes nothing.
--
-- KEYS[1]  campaigns
-- ARGV[1]  id of the campaign
-- ARGV[2…] job ids
-- Returns  {id, number, data, priority, its place among those of its priority, when it is due or '',
--           latest start or '', …}
-- Touches  job:<id>, waiting:<rank>, delayed
--- @include "job"
--- @include "number"
--- @include "waiting"

local campaign, answer = ARGV[1], {}
for i = 2, #ARGV do
    local id = ARGV[i]
    local job = redis.call('HMGET', job_key(id), 'c', 'state', 'priority', 'pos', 'notafter', 'data')
    if job[1] == campaign and (job[2] == 'waiting' or job[2] == 'delayed') then
        local mem = member(id)
        local due = job[2] == 'delayed' and redis.call('ZSCORE', K.delayed, mem) or ''
        local place = job[2] == 'waiting' and redis.call('ZSCORE', waiting_set(job[3], campaign), mem)
        local found = { id, number_of(job[6]), job[6], job[3], place or job[4] or due, due, job[5] or '' }
        for _, each in ipairs(found) do
            answer[#answer + 1] = each
        end
    end
end
return answer
