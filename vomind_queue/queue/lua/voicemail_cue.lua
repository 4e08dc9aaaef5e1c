-- Says what a call with words for a machine is to hear next, when Twilio asks for it.
--
-- Twilio asks only while it is speaking nothing else, so words that a worker put in are not being
-- spoken then, unless that update is still on its way.
--
-- KEYS[1]  voicemails
-- ARGV[1]  job id
-- ARGV[2]  attempt token
-- ARGV[3]  SID
-- ARGV[4]  after how long an update is on its way no more, ms
-- Returns  {now, `undecided` | `person` | `wait` | `speak` | `left` | `gone`}
--          undecided  who answered is not known yet
--          person     no machine
--          wait       a worker is putting the words in
--          speak      the words: from here on the call has them
--          left       the words were left by an earlier attempt
--          gone       the attempt is not the job's any more
-- Touches  job:<id>, voicemails
--- @include "clock"
--- @include "job"
--- @include "memory"
--- @include "voicemail"

local now = now_ms()
local key = job_key(ARGV[1])
local job = redis.call('HMGET', key, 'attempt', 'sid', 'answered', 'voicemail')
if job[1] ~= ARGV[2] or job[2] ~= ARGV[3] then
    return { now, 'gone' }
end
if not job[3] then
    return { now, 'undecided' }
end
if not string.find(job[3], '^machine') then
    return { now, 'person' }
end
local sid, at = voicemail_got(job[4])
if sid and sid ~= ARGV[3] then
    return { now, 'left' }
end
if sid and now - tonumber(at) < tonumber(ARGV[4]) then
    return { now, 'wait' }
end
free_first()
redis.call('HSET', key, 'voicemail', ARGV[3] .. ' ' .. string.format('%.0f', now))
redis.call('ZREM', K.voicemails, member(ARGV[1]))
return { now, 'speak' }
