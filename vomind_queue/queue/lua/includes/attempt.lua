-- The attempts of a call that have ended.

-- The outcome of the last attempt stays with it, whatever becomes of the call from now on.
local function keep_why(key, reason)
    if reason and redis.call('HEXISTS', key, 'finished') == 1 then
        redis.call('HSETNX', key, 'why', reason)
    end
end

-- Moves the last attempt to those before it, once it has ended.
local function archive(key)
    local said = redis.call('HMGET', key, 'finished', 'attempts', 'started', 'sid', 'status', 'over',
        'duration', 'answered', 'sip', 'price', 'unit', 'reason', 'past', 'why',
        'attempt', 'from', 'recording', 'recordingurl')
    if not said[1] then
        return
    end
    local entry = cjson.encode({
        finished = said[1], attempts = said[2] or nil, started = said[3] or nil, sid = said[4] or nil,
        status = said[5] or nil, over = said[6] or nil, duration = said[7] or nil,
        answered = said[8] or nil, sip = said[9] or nil, price = said[10] or nil,
        unit = said[11] or nil, reason = said[14] or said[12] or nil,
        -- Its callbacks may still come, and are recognised by it.
        token = said[15] or nil,
        from = said[16] or nil, recording = said[17] or nil, recordingurl = said[18] or nil,
    })
    redis.call('HSET', key, 'past', said[13] and (said[13] .. '\n' .. entry) or entry)
    -- Fields of the record that concern the last attempt alone.
    redis.call('HDEL', key, 'finished', 'sid', 'status', 'rank', 'seq', 'seen', 'over', 'duration', 'answered',
        'sip', 'price', 'unit', 'recording', 'recordingurl', 'looked', 'why',
        'from', 'talked')
end

-- Stores the recording of an attempt that was moved there; returns whether it is new.
local function note_past_recording(key, past, sid, recording, url)
    local lines, noted = {}, false
    for line in string.gmatch(past, '[^\n]+') do
        local entry = cjson.decode(line)
        if entry.sid == sid and not entry.recording then
            entry.recording, entry.recordingurl, noted = recording, url, true
            line = cjson.encode(entry)
        end
        lines[#lines + 1] = line
    end
    if noted then
        redis.call('HSET', key, 'past', table.concat(lines, '\n'))
    end
    return noted
end
