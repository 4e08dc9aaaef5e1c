-- Notes that the campaigns of this run of the server were compared with the call log.
--
-- KEYS[1]  outbox:campaigns
-- ARGV[1]  what tells this run of the server from others
-- Returns  {1}
-- Touches  campaigns, outbox
--- @include "memory"

free_first()
-- Those that an older version changed without a note.
redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[1], K.campaigns, 'WEIGHTS', 1, 0)
redis.call('SET', K.outbox_compared, ARGV[1])
return { 1 }
