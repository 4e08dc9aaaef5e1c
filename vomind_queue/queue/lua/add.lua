-- Stores new calls, all or none, and puts each where it belongs.
--
-- KEYS[1]  counter of job ids (routes the script in a cluster)
-- ARGV[1]  deadline, unix ms on this server's clock; 0 for none
-- ARGV[2]  name of the idempotency key, or ''
-- ARGV[3]  fingerprint of the request, or ''
-- ARGV[4]  how long the request is remembered, ms
-- ARGV[5]  id of the only call, or '' to number the calls here
-- ARGV[6]  '1' to refuse the only call where its number is on the do-not-call list, else ''
-- ARGV[7]  campaign that they belong to, or ''
-- ARGV[8…] for each call: data (JSON), rank of its priority, due ms or '', delay ms or '',
--          latest start as in `includes/expiry.lua`
-- Returns  {ok | replay, now, first id, count, accepted ms}, {mismatch | late | do_not_call, now},
--          {campaign, now, id, state}: it takes no calls
--          A call whose given id exists already changes nothing and answers ok.
-- Touches  job:<id>, waiting:<rank>, delayed, expiring, do_not_call, id, request:<key>, totals,
--          notify, due, outbox, campaign:<id>, campaign_calls:<id>, campaigns, open_campaigns,
--          turns:<rank>, shares, resting, campaign_starts:<id>, window
--- @include "campaign_calls"
--- @include "clock"
--- @include "do_not_call"
--- @include "enqueue"
--- @include "expiry"
--- @include "job"
--- @include "log"
--- @include "notify"
--- @include "number"
--- @include "request"

local now = now_ms()
local answer = answered(ARGV[1], ARGV[2], ARGV[3], now)
if answer then
    return answer
end

if ARGV[6] == '1' and is_listed(number_of(ARGV[8])) then
    return { C.do_not_call, now }
end
local campaign, refusal = ARGV[7] ~= '' and ARGV[7], refuses_calls(ARGV[7])
if refusal then
    return { C.campaign, now, ARGV[7], refusal }
end
local count = (#ARGV - 7) / 5
local given = ARGV[5] ~= ''
if given and redis.call('EXISTS', job_key(ARGV[5])) == 1 then
    return { C.ok, now, ARGV[5], 1, now }
end
-- An id chosen elsewhere must not be given out again by the counter.
if given and string.match(ARGV[5], '^%d+$') and #ARGV[5] <= 15
    and tonumber(ARGV[5]) > tonumber(redis.call('GET', K.last_id) or 0) then
    redis.call('SET', K.last_id, ARGV[5])
end
local number = given and 0 or (redis.call('INCRBY', K.last_id, count) - count + 1)
local first = given and ARGV[5] or string.format('%d', number)

local to_notify, delayed = false, 0
for i = 0, count - 1 do
    local data, rank, due, after, wanted = unpack(ARGV, 8 + i * 5, 12 + i * 5)
    local id = given and first or string.format('%d', number + i)
    due = tonumber(due) or (after ~= '' and now + tonumber(after)) or nil
    local state = (due and due > now) and 'delayed' or 'waiting'
    if due then
        redis.call('HSET', job_key(id), 'data', data, 'priority', rank, 'state', state, 'at', now,
            'due', string.format('%d', due))
    else
        redis.call('HSET', job_key(id), 'data', data, 'priority', rank, 'state', state, 'at', now)
    end
    if wanted ~= '' then
        set_expiry(id, latest_start(wanted, math.max(due or now, now)), now)
    end
    if campaign then
        redis.call('HSET', job_key(id), 'c', campaign)
        if state == 'delayed' then
            redis.call('HSET', job_key(id), 'part', state)
            delayed = delayed + 1
        end
    end
    to_notify = enqueue(id, rank, due, now, true, campaign) or to_notify
end
if given then
    log_event(first, 'accepted')
else
    log_range(number, count, 'accepted')
end
if campaign then
    note_calls(campaign, number, count - delayed, delayed)
end
remember(ARGV[2], ARGV[3], ARGV[4], first, count, now)
if to_notify then
    notify()
end
return { C.ok, now, first, count, now }
