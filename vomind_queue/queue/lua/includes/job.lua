-- A call's record and its member in a sorted set, as in `keys.py`.

local function member(id)
    return string.char(96 + math.min(#id, 26)) .. id
end

local function id_of(mem)
    return string.sub(mem, 2)
end

local function job_key(id)
    return K.job .. id
end
