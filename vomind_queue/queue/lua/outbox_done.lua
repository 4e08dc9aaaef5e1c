-- Takes delivered entries out of the outbox, and records that were kept for them alone.
--
-- KEYS[1]  outbox:leader
-- ARGV[1]  sequence number of the last entry delivered; all before it are, too
-- Returns  {records of removed calls that may still go}
-- Touches  outbox, gone:<id>
--- @include "events"
--- @include "memory"

free_first()
local done = tonumber(ARGV[1])
if done > tonumber(redis.call('GET', K.outbox_shipped) or 0) then
    redis.call('SET', K.outbox_shipped, ARGV[1])
    local next_one = string.format('%.0f-0', done + 1)
    redis.call('XTRIM', K.outbox_details, 'MINID', next_one)
    redis.call('XTRIM', K.outbox_finals, 'MINID', next_one)
end
return { drop_released() }
