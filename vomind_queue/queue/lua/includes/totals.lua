-- What is counted: for ever, by the minute, by how long it took.

-- Counts something for ever.
local function total(field, amount)
    redis.call('HINCRBY', K.totals, field, amount or 1)
end

-- How long the numbers of a minute are kept: those of a whole hour can always be told, ms.
local MINUTE_TTL_MS = 3900000

-- Counts something that happened in this minute, and for ever.
local function tally(now, field)
    total(field)
    local key = K.minute .. math.floor(now / 60000)
    if redis.call('HINCRBY', key, field, 1) == 1 then
        redis.call('PEXPIRE', key, MINUTE_TTL_MS)
    end
end

-- Number of the half octave that a time in ms lies in, as in `overview.py`.
local function half_octave(ms)
    local fraction, exponent = math.frexp(math.max(ms, 0))
    return 2 * exponent + (fraction >= 0.75 and 1 or 0)
end
