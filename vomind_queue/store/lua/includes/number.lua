-- The number that a call goes to; at most one attempt at a time rings it.

-- The number that a call goes to, out of its `data`, which begins with it (see record.py).
local function number_of(data)
    return string.match(data, '^{"to":"([^"\\]*)"') or cjson.decode(data)['to']
end

-- Another call to the number may be placed, unless one is already.
local function free_number(id, number)
    if redis.call('HGET', K.dialing, number) == id then
        redis.call('HDEL', K.dialing, number)
    end
end
