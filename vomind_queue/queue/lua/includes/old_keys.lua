-- The keys that versions before 0.9.0 gave other names.

-- Whether there are any. The shipper's lease is not among them: `outbox_read` waits until it ends.
local function has_old_keys()
    return redis.call('EXISTS', K.old_reconciling, K.old_status_polls, K.old_orphans, K.old_notify) > 0
end
