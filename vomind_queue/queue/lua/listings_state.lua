-- Whether the call log lacks changes of the do-not-call list or of closed days. Writes nothing.
--
-- KEYS[1]  do_not_call
-- Returns  {what tells this run of the server from others, '1' where the list is whole, else '',
--          version of the closed days, changes of the list that the log does not have}
-- Touches  do_not_call, do_not_call:outbox, closed_days
--- @include "server_run"

local whole = redis.call('ZSCORE', K.do_not_call, 'restored') and '1' or ''
local days = redis.call('HGET', K.closed_days, 'version') or ''
return { server_run(), whole, days, redis.call('XLEN', K.do_not_call_outbox) }
