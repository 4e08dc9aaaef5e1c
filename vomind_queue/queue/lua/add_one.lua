-- Stores one call to be placed at once, without an idempotency key. Most clients send such calls;
-- this takes half as long as `add.lua`, with the same result.
--
-- KEYS[1]  counter of job ids (routes the script in a cluster)
-- ARGV[1]  deadline, unix ms on this server's clock; 0 for none
-- ARGV[2]  data (JSON)
-- ARGV[3]  rank of its priority
-- ARGV[4]  '1' to refuse a number on the do-not-call list, else ''
-- Returns  {ok, now, id, 1, accepted ms}, {late | do_not_call, now}
-- Touches  job:<id>, waiting:<rank>, do_not_call, id, totals, notify, outbox
--- @include "clock"
--- @include "do_not_call"
--- @include "job"
--- @include "log_alone"
--- @include "notify"
--- @include "number"

local now = now_ms()
if late(ARGV[1], now) then
    return { C.late, now }
end
if ARGV[4] == '1' and is_listed(number_of(ARGV[2])) then
    return { C.do_not_call, now }
end
local number = redis.call('INCRBY', K.last_id, 1)
local id = string.format('%d', number)
redis.call('HSET', job_key(id), 'data', ARGV[2], 'priority', ARGV[3], 'state', 'waiting', 'at', now)
redis.call('ZADD', K.waiting .. ARGV[3], now, member(id))
log_alone(number, 'accepted', now)
notify()
return { C.ok, now, id, 1, now }
