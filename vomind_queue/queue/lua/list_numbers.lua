-- Puts numbers on the do-not-call list. From then on no call to them starts.
--
-- A number that is already on it keeps its entry.
--
-- KEYS[1]  do_not_call
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  who, from where and why, as JSON
-- ARGV[3]  '1' to end the calls that are being placed to them once Twilio has answered, else ''
-- ARGV[4…] the numbers
-- Returns  {ok, now, {added: 1 | 0, id of the call that is being placed to it or '', number of a
--          recurring call to it, …}, …} or {late, now}
-- Touches  do_not_call, do_not_call:entries, do_not_call:outbox, dialing, job:<id>, recurring_index,
--          outbox
--- @include "clock"
--- @include "do_not_call"
--- @include "index"
--- @include "job"
--- @include "memory"
--- @include "person"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
free_first()
local place = next_place()

local function add(number)
    if is_listed(number) then
        return 0
    end
    local entry = string.format('%.0f %s', now, ARGV[2])
    redis.call('ZADD', K.do_not_call, place, number)
    redis.call('HSET', K.do_not_call_entries, number, entry)
    note_change('listed', number, 'entry', entry)
    note_person('person.listed', number, ARGV[2])
    place = place + 1
    return 1
end

-- Its marker was written before the number was listed: Twilio is being asked, or may have been.
local function being_placed(number)
    local id = redis.call('HGET', K.dialing, number)
    if not id or redis.call('HEXISTS', job_key(id), 'mark') == 0 then
        return ''
    end
    if ARGV[3] == '1' then
        redis.call('HSET', job_key(id), 'hangup', now)
    end
    return id
end

local answer = { C.ok, now }
for i = 4, #ARGV do
    answer[i - 1] = { add(ARGV[i]), being_placed(ARGV[i]), unpack(indexed(of_number(ARGV[i]), 100)) }
end
return answer
