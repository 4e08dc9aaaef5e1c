-- Stores events that were made of entries, and takes the entries out.
--
-- KEYS[1]  events:leader
-- ARGV[1]  token of the notifier
-- ARGV[2]  entries and calls that were made into events before these: as `events:prepared`
-- ARGV[3]  the same with these
-- ARGV[4]  events kept, about
-- ARGV[5]  how many more could not be made
-- ARGV[6…] for each event: type, unix ms, id of its call or '', id of its campaign or '', data as JSON,
--          and what only some subscriptions get of it, as JSON
-- Returns  {ok | lost}; `lost`: another one leads, or was quicker
-- Touches  outbox, gone:<id>
--- @include "clock"
--- @include "events"
--- @include "memory"
--- @include "outbox"

free_first()
local prepared = redis.call('GET', K.events_prepared) or '0 0'
if redis.call('GET', K.events_leader) ~= ARGV[1] or prepared ~= ARGV[2] then
    return { C.lost }
end
local last = tonumber(redis.call('GET', K.events_last) or 0)
if last < LEAST_SEQUENCE then
    last = now_ms() * 1000
end
for i = 6, #ARGV, 6 do
    last = last + 1
    redis.call('XADD', K.events, string.format('%.0f-0', last), 't', ARGV[i], 'a', ARGV[i + 1],
        'c', ARGV[i + 2], 'g', ARGV[i + 3], 'd', ARGV[i + 4], 'p', ARGV[i + 5])
end
redis.call('SET', K.events_last, string.format('%.0f', last))
redis.call('SET', K.events_prepared, ARGV[3])
redis.call('XTRIM', K.events, 'MAXLEN', '~', ARGV[4])
redis.call('XTRIM', K.events_outbox, 'MINID', string.format('%.0f-0', events_prepared() + 1))
if tonumber(ARGV[5]) > 0 then
    redis.call('HINCRBY', K.events_lost, 'unmade', ARGV[5])
end
drop_released()
return { C.ok }
