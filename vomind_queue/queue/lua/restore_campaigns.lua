-- Brings campaigns back that the call log has and this server does not, and stops those that the log has
-- seen stop since this server's data were written: it may have come back as it was long ago.
--
-- Where the two differ, whatever rings fewer people holds.
--
-- KEYS[1]  campaigns
-- ARGV[1]  the last id that was given out, as far as the log knows
-- ARGV[2]  with the last campaigns the version of the last delivery, as far as the log knows; else 0
-- ARGV[…]  id, when it was created in unix ms, version in the log, state, by whom it was steered or '', and
--          record: a JSON list of fields and values, …
-- Returns  {how many were missing, how many were stopped}
-- Touches  campaigns, open_campaigns, campaign:<id>, campaignid, outbox, turns:<rank>, sweeping, due,
--          campaign_times
--- @include "campaign_times"
--- @include "clock"
--- @include "memory"
--- @include "told"
--- @include "turns"
--- @include "unlogged"

local STOPPED = { cancelled = 'cancelled', deleted = 'cancelled', finished = 'finished' }
free_first()
-- The last delivery that this server remembers: it has not seen what the log was told later.
local seen = tonumber(redis.call('GET', K.outbox_version) or 0)
local missing, stopped = 0, 0

local function bring_back(id, record)
    local key = K.campaign .. id
    redis.call('HSET', key, unpack(cjson.decode(record)))
    if redis.call('HGET', key, 'state') == 'draft' then
        redis.call('ZADD', K.open_campaigns, id, id)
    else
        redis.call('HSETNX', key, 'ended', now_ms())
    end
    redis.call('ZADD', K.campaigns, id, id)
    note_unlogged(id)
    missing = missing + 1
end

-- Makes a campaign stand still as the log says; returns whether it did not before.
local function stop(id, before, after)
    if STOPPED[after] and not STOPPED[before] then
        if after == 'finished' then
            -- A call of it that is removed or retried would open it again.
            redis.call('HSET', K.campaign .. id, 'timeup', 'log')
        end
        stop_campaign(id, STOPPED[after])
    elseif after == 'paused' and (before == 'running' or before == 'scheduled') then
        redis.call('HSET', K.campaign .. id, 'state', 'paused')
        leave_turns(id)
        note_campaign(id, 'paused')
        note_unlogged(id)
    else
        return false
    end
    return true
end

for i = 3, #ARGV, 6 do
    local id, created, version, state, by, record = unpack(ARGV, i, i + 5)
    local at, before = unpack(redis.call('HMGET', K.campaign .. id, 'at', 'state'))
    if not at then
        local is_deleted = redis.call('ZSCORE', K.outbox_campaigns, id .. ':' .. created)
        if state ~= 'deleted' and not is_deleted then
            bring_back(id, record)
        end
    elseif at == created and tonumber(version) > seen and stop(id, before, state) then
        stopped = stopped + 1
        -- It is not known who deleted one.
        redis.call('HDEL', K.campaign .. id, 'by')
        if by ~= '' then
            redis.call('HSET', K.campaign .. id, 'by', by)
        end
    end
end
if tonumber(ARGV[1]) > tonumber(redis.call('GET', K.last_campaign) or 0) then
    redis.call('SET', K.last_campaign, ARGV[1])
end
if tonumber(ARGV[2]) > seen then
    -- The log takes none that seems older, even where this server's clock is behind.
    redis.call('SET', K.outbox_version, ARGV[2])
end
return { missing, stopped }
