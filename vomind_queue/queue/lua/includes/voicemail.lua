-- The words for an answering machine: left once for a call, however many attempts it takes.
--
-- Field `voicemail` of the record: `due`, or the SID of the call that got them and when, unix ms.
--- @include "due"
--- @include "job"

-- The SID of the call that got the words, and when; nil while none did.
local function voicemail_got(voicemail)
    return string.match(voicemail or '', '^(%S+) (%d+)$')
end

-- Whether the words are to be put into a call by a worker, which is told so.
local function want_voicemail(id, now)
    local job = redis.call('HMGET', job_key(id), 'voicemail', 'data')
    if voicemail_got(job[1]) or not cjson.decode(job[2])['voicemailMessage'] then
        return
    end
    redis.call('HSET', job_key(id), 'voicemail', 'due')
    set_due(K.voicemails, member(id), now, now)
end
