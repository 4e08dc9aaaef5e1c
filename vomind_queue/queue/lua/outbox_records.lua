-- Records of the calls that entries are about, as they are now. Writes nothing.
--
-- KEYS[1]  outbox:gone
-- ARGV[…]  id and the entry's sequence number, …
-- Returns  {sequence number of the last entry written, {field, value, …}, …}, the records in
--          the order asked for; empty where there is none any more
-- Touches  job:<id>, gone:<id>, outbox
local answer = { redis.call('GET', K.outbox_last) or '0' }
for i = 1, #ARGV, 2 do
    local kept = redis.call('ZSCORE', K.outbox_gone, ARGV[i])
    -- Its id may have been given to another call since.
    local gone = kept and tonumber(ARGV[i + 1]) <= tonumber(kept)
    answer[#answer + 1] = redis.call('HGETALL', (gone and K.gone or K.job) .. ARGV[i])
end
return answer
