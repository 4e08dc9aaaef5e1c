-- Counts a request of one client, unless it has made too many in the window that ends now.
-- A server that is full must still cancel calls and report its state.
--
-- KEYS[1]  list: times of the client's last requests, the newest first, unix ms
-- ARGV[1]  requests allowed in any window of that length
-- ARGV[2]  length of the window, ms
-- Returns  {0 | ms until the next request is allowed}
-- Touches  the list
--- @include "clock"
--- @include "memory"

local now, most, window = now_ms(), tonumber(ARGV[1]), tonumber(ARGV[2])
free_first()
local nth = tonumber(redis.call('LINDEX', KEYS[1], most - 1) or 0)
if nth > now - window then
    return { nth + window - now }
end
redis.call('LPUSH', KEYS[1], now)
redis.call('LTRIM', KEYS[1], 0, most - 1)
redis.call('PEXPIRE', KEYS[1], window)
return { 0 }
