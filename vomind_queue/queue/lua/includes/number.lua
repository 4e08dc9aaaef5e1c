-- The number that a call goes to; at most one attempt at a time rings it.

-- The number that a call goes to, out of its `data`, which begins with it (see call_record.py).
local function number_of(data)
    return string.match(data, '^{"to":"([^"\\]*)"') or cjson.decode(data)['to']
end

-- The number that it names to come from, if any. The app's own metadata may have such a field, too.
local function sender_of(data)
    return string.find(data, '"from":"', 1, true) and cjson.decode(data)['from']
end
