-- Closes a day, or opens it again. From then on no call starts by the days known before.
--
-- KEYS[1]  closed_days
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  the day
-- ARGV[3]  who and why, as JSON; '' opens the day
-- ARGV[4]  the next version, fresh
-- ARGV[5]  days at most
-- Returns  {ok | missing | late, now}, {wrong_state, now}: there are too many
-- Touches  closed_days, rules, due
--- @include "clock"
--- @include "due"
--- @include "memory"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
if ARGV[3] == '' then
    if redis.call('HDEL', K.closed_days, ARGV[2]) == 0 then
        return { C.missing, now }
    end
    -- What it held is judged again.
    redis.call('DEL', K.rules)
    notify_due()
else
    local known = redis.call('HEXISTS', K.closed_days, ARGV[2]) == 1
    if not known and redis.call('HLEN', K.closed_days) > tonumber(ARGV[5]) then
        return { C.wrong_state, now }
    end
    free_first()
    redis.call('HSET', K.closed_days, ARGV[2], string.format('%.0f %s', now, ARGV[3]))
end
redis.call('HSET', K.closed_days, 'version', ARGV[4])
return { C.ok, now }
