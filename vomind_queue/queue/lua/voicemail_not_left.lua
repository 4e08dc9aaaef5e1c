-- Notes that the words for a machine were not put into a call: Twilio certainly did not take them.
--
-- KEYS[1]  voicemails
-- ARGV[1]  job id
-- ARGV[2]  SID of the call
-- ARGV[3]  when a worker is to try again, ms from now; 0: not by itself
-- Returns  {now}
-- Touches  job:<id>, voicemails, due
--- @include "clock"
--- @include "due"
--- @include "job"
--- @include "memory"
--- @include "voicemail"

local now = now_ms()
local key = job_key(ARGV[1])
free_first()
if voicemail_got(redis.call('HGET', key, 'voicemail')) == ARGV[2] then
    redis.call('HSET', key, 'voicemail', 'due')
    if ARGV[3] ~= '0' then
        set_due(K.voicemails, member(ARGV[1]), now + tonumber(ARGV[3]), now)
    end
end
return { now }
