-- Brings campaigns back that the call log has and this server does not.
--
-- KEYS[1]  campaigns
-- ARGV[1]  the last id that was given out, as far as the log knows
-- ARGV[2]  once all are back: what tells this run of the server from others; else ''
-- ARGV[…]  id and record, a JSON list of fields and values, …
-- Returns  {how many were missing}
-- Touches  campaigns, open_campaigns, campaign:<id>, campaignid, outbox
--- @include "clock"
--- @include "memory"
--- @include "unlogged"

free_first()
local missing = 0
for i = 3, #ARGV, 2 do
    local id, key = ARGV[i], K.campaign .. ARGV[i]
    if redis.call('EXISTS', key) == 0 then
        redis.call('HSET', key, unpack(cjson.decode(ARGV[i + 1])))
        if redis.call('HGET', key, 'state') == 'draft' then
            redis.call('ZADD', K.open_campaigns, id, id)
        else
            redis.call('HSETNX', key, 'ended', now_ms())
        end
        redis.call('ZADD', K.campaigns, id, id)
        note_unlogged(id)
        missing = missing + 1
    end
end
if tonumber(ARGV[1]) > tonumber(redis.call('GET', K.last_campaign) or 0) then
    redis.call('SET', K.last_campaign, ARGV[1])
end
if ARGV[2] ~= '' then
    -- Those that an older version changed without a note.
    redis.call('ZUNIONSTORE', K.outbox_campaigns, 2, K.outbox_campaigns, K.campaigns, 'WEIGHTS', 1, 0)
    redis.call('SET', K.outbox_compared, ARGV[2])
end
return { missing }
