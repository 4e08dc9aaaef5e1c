-- Removes calls of one campaign that was cancelled, or that the call log has seen finish, or ends those
-- of one whose end has come, a part at a time.
--
-- None of them can start any more. Calls that a worker holds come back meanwhile, or end: so it begins
-- again when one has come back, until there are none.
--
-- KEYS[1]  sweeping
-- ARGV[1]  calls looked at, at most
-- ARGV[2]  failed calls kept: age ms       ARGV[3] and number
-- Returns  {now, how many were looked at}
-- Touches  job:<id>, campaign:<id>, campaign_calls:<id>, sweeping, delayed, held:<kind>, expiring,
--          completed, failed, line, dialing, busy_until, totals, gone:<id>, revoked, outbox, due,
--          campaigns, open_campaigns, turns:<rank>, shares, notify, waiting:<rank>, resting,
--          campaign_starts:<id>, active, leases, minute:<n>, reconciling, window
--- @include "clock"
--- @include "due"
--- @include "fail_unplaced"
--- @include "job"
--- @include "memory"
--- @include "remove"
--- @include "revoke"

-- How long it waits for calls that workers hold, ms.
local AGAIN_MS = 1000
local now = now_ms()
local campaign = redis.call('ZRANGEBYSCORE', K.sweeping, '-inf', now, 'LIMIT', 0, 1)[1]
if not campaign then
    return { now, 0 }
end
free_first()
local key = K.campaign .. campaign
local found = redis.call('HMGET', key, 'swept', 'n:active', 'n:waiting', 'n:delayed')
local swept, held = found[1] or '0:0', tonumber(found[2] or 0)
local left = tonumber(found[3] or 0) + tonumber(found[4] or 0)
if swept == 'once' and left > 0 then
    swept = '0:0'
end
local index, offset = string.match(swept, '^(%d+):(%d+)$')
local range = index and redis.call('LINDEX', K.campaign_calls .. campaign, index)
if not range and held + left > 0 then
    redis.call('HSET', key, 'swept', 'once')
    set_due(K.sweeping, campaign, now + AGAIN_MS, now)
    return { now, 0 }
elseif not range then
    redis.call('HDEL', key, 'swept')
    redis.call('ZREM', K.sweeping, campaign)
    return { now, 0 }
end
local is_up = redis.call('HGET', key, 'timeup') == '1'
local first, count = string.match(range, '^(%d+):(%d+)$')
local part = math.min(count - offset, tonumber(ARGV[1]))
for number = first + offset, first + offset + part - 1 do
    local id = string.format('%.0f', number)
    local job = redis.call('HMGET', job_key(id), 'c', 'state')
    if job[1] == campaign and (job[2] == 'waiting' or job[2] == 'delayed') then
        if is_up then
            local reason = 'Expired: its campaign ended (endAt) before it was placed.'
            fail_unplaced(id, 'expired', reason, ARGV[2], ARGV[3])
        else
            revoke(job_key(id), now)
            remove(id)
        end
    end
end
local is_done = offset + part >= tonumber(count)
redis.call('HSET', key, 'swept', is_done and string.format('%d:0', index + 1)
    or string.format('%d:%d', index, offset + part))
return { now, part }
