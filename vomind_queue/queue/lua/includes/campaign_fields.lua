-- What scripts read of the settings of a campaign.

--- @include "due"

-- Has calls judged again that the hours of campaigns may hold; `wake_held` does.
local function wake_campaigns()
    local rules = redis.call('GET', K.rules)
    if rules and string.sub(rules, 1, 1) ~= '~' then
        redis.call('SET', K.rules, '~' .. rules)
    end
    notify_due()
end

-- Sets fields of a record to arguments of the script, from the one with that place on: field and value
-- in turn, '' for absent.
local function set_fields(key, place)
    for i = place, #ARGV, 2 do
        if ARGV[i + 1] == '' then
            redis.call('HDEL', key, ARGV[i])
        else
            redis.call('HSET', key, ARGV[i], ARGV[i + 1])
        end
    end
end
