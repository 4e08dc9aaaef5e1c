-- What RedBeat sees of a recurring call, and what is counted of its ticks.

local MONTHS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

-- Days of a year, or of one of its months.
local function days_of(year, month)
    local leap = (year % 4 == 0 and year % 100 ~= 0) or year % 400 == 0
    if month then
        return MONTHS[month] + (leap and month == 2 and 1 or 0)
    end
    return leap and 366 or 365
end

-- A moment as RedBeat writes it.
local function moment(ms)
    local seconds = math.floor(ms / 1000)
    local days, rest, year, month = math.floor(seconds / 86400), seconds % 86400, 1970, 1
    while days >= days_of(year) do
        days, year = days - days_of(year), year + 1
    end
    while days >= days_of(year, month) do
        days, month = days - days_of(year, month), month + 1
    end
    return string.format('{"__type__": "datetime", "year": %d, "month": %d, "day": %d, "hour": %d, '
        .. '"minute": %d, "second": %d, "microsecond": %d, "timezone": "UTC"}', year, month, days + 1,
        math.floor(rest / 3600), math.floor(rest / 60) % 60, rest % 60, ms % 1000 * 1000)
end

-- What RedBeat keeps of the past of an entry. One that never fired counts from its beginning, as
-- with RedBeat: to its own class it would be due otherwise.
local function note_meta(key)
    local record = redis.call('HMGET', key, 'done', 'at', 'fired')
    redis.call('HSET', key, 'meta', string.format('{"last_run_at": %s, "total_run_count": %d}',
        moment(tonumber(record[1] or record[2] or 0)), tonumber(record[3] or 0)))
end

-- What RedBeat shows of whether an entry fires; it stands at the end.
local function set_enabled(key, enabled)
    local definition = redis.call('HGET', key, 'definition')
    if definition then
        redis.call('HSET', key, 'definition',
            (string.gsub(definition, '"enabled": %a+}$', string.format('"enabled": %s}', tostring(enabled)))))
    end
end

-- Whether an entry was saved by a class of RedBeat's own, or switched on or off by its means.
local function is_foreign(key)
    local record = redis.call('HMGET', key, 'definition', 'pausedby')
    local definition = record[1] or ''
    local enabled = string.match(definition, '"enabled": (%a+)}$')
    return not string.find(definition, '"cron": ', 1, true) or enabled ~= tostring(not record[2])
end

-- Puts times, newest first, in front of those that a field keeps; ten stay.
local function remember_times(key, field, times)
    local kept = {}
    for time in string.gmatch(times .. ' ' .. (redis.call('HGET', key, field) or ''), '%d+') do
        if #kept < 10 then
            kept[#kept + 1] = time
        end
    end
    redis.call('HSET', key, field, table.concat(kept, ' '))
end
