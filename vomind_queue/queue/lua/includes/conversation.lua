-- Conversations with people, for the pauses after them.
--- @include "starts"

local function is_machine(who)
    return string.find(who, '^machine') or who == 'fax'
end

-- A call moved on to a status, or Twilio has found out who answered: `who`, or ''. Of a call counts
-- when the person was last known to talk. `kept`: as for `note_time`; 0: none.
local function follow_conversation(key, person, status, who, now, kept)
    local talks = status == 'in-progress' or status == 'completed'
    if kept == 0 or not (talks or is_machine(who)) then
        return
    end
    local before = redis.call('HGET', key, 'talked')
    if before then
        take_time_back(person, CONVERSATION, tonumber(before))
        redis.call('HDEL', key, 'talked')
    end
    if not is_machine(who) then
        note_time(person, CONVERSATION, now, kept)
        redis.call('HSET', key, 'talked', now)
    end
end
