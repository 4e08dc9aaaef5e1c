-- Hands out calls whose machine is to hear its words, to be put in by a worker.
--
-- Each is handed out once: a second update would speak the words again from their beginning. Where
-- the first one did not arrive, Twilio asks us what to say (`voicemail_cue.lua`).
--
-- KEYS[1]  voicemails
-- ARGV[1]  calls wanted at most
-- Returns  {now, id, SID, data, …}
-- Touches  job:<id>, voicemails
--- @include "clock"
--- @include "job"
--- @include "memory"

local now = now_ms()
local answer = { now }
free_first()
for _, mem in ipairs(redis.call('ZRANGEBYSCORE', K.voicemails, '-inf', now, 'LIMIT', 0, tonumber(ARGV[1]))) do
    redis.call('ZREM', K.voicemails, mem)
    local id = id_of(mem)
    local job = redis.call('HMGET', job_key(id), 'voicemail', 'sid', 'over', 'mark', 'data')
    if job[1] == 'due' and job[2] and not job[3] and not job[4] then
        redis.call('HSET', job_key(id), 'voicemail', job[2] .. ' ' .. string.format('%.0f', now))
        for _, value in ipairs({ id, job[2], job[5] }) do
            answer[#answer + 1] = value
        end
    end
end
return answer
