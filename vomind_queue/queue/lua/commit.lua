-- Makes a staged bulk visible, all of it at one moment.
--
-- The records are complete; only their places are missing. Calls that follow each
-- other and differ in number and words alone are one entry of ARGV[8].
--
-- KEYS[1]  counter of job ids
-- ARGV[1]  deadline, unix ms; 0 for none
-- ARGV[2]  name of the idempotency key, or ''
-- ARGV[3]  fingerprint of the request, or ''
-- ARGV[4]  how long the request is remembered, ms
-- ARGV[5]  first id of the bulk
-- ARGV[6]  number of calls in it
-- ARGV[7]  when the bulk began, unix ms, as its first part was answered
-- ARGV[8]  JSON array: for each entry the number of calls, rank of their priority,
--          due ms or -1, delay ms or -1
-- ARGV[9]  campaign that they belong to, or ''
-- Returns  {ok | replay, now, first id, count, accepted ms}, {mismatch | late, now},
--          {campaign, now, id, state}: it takes no calls
-- Touches  waiting:<rank>, delayed, request:<key>, staging, totals, notify, outbox, campaign:<id>,
--          campaign_calls:<id>, campaigns, open_campaigns, turns:<rank>, shares, resting,
--          campaign_starts:<id>, window
--- @include "campaign_calls"
--- @include "clock"
--- @include "job"
--- @include "log"
--- @include "notify"
--- @include "request"
--- @include "waiting"

local now = now_ms()
local answer = answered(ARGV[1], ARGV[2], ARGV[3], now)
if answer then
    return answer
end
local campaign, refusal = ARGV[9] ~= '' and ARGV[9], refuses_calls(ARGV[9])
if refusal then
    return { C.campaign, now, ARGV[9], refusal }
end
local count, began = tonumber(ARGV[6]), tonumber(ARGV[7])
if redis.call('ZREM', K.staging, ARGV[5] .. ':' .. ARGV[6]) == 0 then
    return { C.late, now }
end

-- Members for one sorted set at a time, a few hundred a command.
local pending, length = {}, {}
local function flush(set)
    redis.call('ZADD', set, unpack(pending[set], 1, length[set]))
    length[set] = 0
end
-- The letter before an id tells how many digits it has: a bulk has one or two of them.
local letters = {}
local function place(set, score, from, to)
    local list, filled = pending[set], length[set]
    if not list then
        list, filled = {}, 0
        pending[set] = list
    end
    for number = from, to do
        local text = string.format('%d', number)
        local letter = letters[#text]
        if not letter then
            letter = string.sub(member(text), 1, 1)
            letters[#text] = letter
        end
        list[filled + 1] = score
        list[filled + 2] = letter .. text
        filled = filled + 2
        if filled >= 1000 then
            length[set] = filled
            flush(set)
            filled = 0
        end
    end
    length[set] = filled
end

local id = tonumber(ARGV[5])
local entries = cjson.decode(ARGV[8])
-- Texts: Redis would make one of each number.
local now_text = string.format('%d', now)
local waiting, delayed = {}, 0
for i = 1, #entries, 4 do
    local size, rank, due, after = entries[i], entries[i + 1], entries[i + 2], entries[i + 3]
    if due < 0 then
        due = after < 0 and began or began + after
    end
    if due > began then
        place(K.delayed, string.format('%d', due), id, id + size - 1)
        delayed = delayed + size
    else
        waiting[rank] = waiting[rank] or waiting_set(string.format('%d', rank), campaign)
        place(waiting[rank], now_text, id, id + size - 1)
    end
    id = id + size
end
for set in pairs(pending) do
    if length[set] > 0 then
        flush(set)
    end
end
if campaign then
    note_calls(campaign, tonumber(ARGV[5]), count - delayed, delayed)
end
log_range(tonumber(ARGV[5]), count, 'accepted')
remember(ARGV[2], ARGV[3], ARGV[4], ARGV[5], count, began)
notify()
return { C.ok, now, ARGV[5], count, began }
