-- Takes a number off the do-not-call list.
--
-- KEYS[1]  do_not_call
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  who and why, as JSON
-- ARGV[3…] the number, and what stands for it if its person was forgotten
-- Returns  {ok | missing | late, now}
-- Touches  do_not_call, do_not_call:entries, do_not_call:outbox, outbox
--- @include "clock"
--- @include "do_not_call"
--- @include "memory"
--- @include "person"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
free_first()
local removed = false
for i = 3, #ARGV do
    if redis.call('ZREM', K.do_not_call, ARGV[i]) == 1 then
        redis.call('HDEL', K.do_not_call_entries, ARGV[i])
        note_change('removed', ARGV[i], 'entry', string.format('%.0f %s', now, ARGV[2]))
        note_person('person.unlisted', ARGV[i], ARGV[2])
        removed = true
    end
end
return { removed and C.ok or C.missing, now }
