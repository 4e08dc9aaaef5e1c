-- The call log in SQLite; the columns are the fields of CallRow and CallEvent.
CREATE TABLE IF NOT EXISTS call_logs (
    key TEXT PRIMARY KEY,
    job_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    to_number TEXT,
    lead_id TEXT,
    priority TEXT NOT NULL,
    message TEXT,
    metadata TEXT,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    scheduled_ms INTEGER,
    queued_ms INTEGER NOT NULL,
    started_ms INTEGER,
    finished_ms INTEGER,
    answered_ms INTEGER,
    call_sid TEXT,
    call_status TEXT,
    outcome TEXT,
    duration INTEGER,
    price TEXT,
    price_unit TEXT,
    answered_by TEXT,
    failure TEXT,
    options TEXT,
    campaign_id TEXT,
    anonymized_ms INTEGER,
    -- What these are of the others: see sqlite_schema.py.
    list_outcome TEXT,
    quarter_ms INTEGER,
    waited_ms INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS call_events (
    key TEXT NOT NULL,
    job_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    event TEXT NOT NULL,
    state TEXT,
    attempt INTEGER,
    call_sid TEXT,
    call_status TEXT,
    direction TEXT NOT NULL,
    from_number TEXT,
    to_number TEXT,
    duration INTEGER,
    details TEXT NOT NULL,
    PRIMARY KEY (key, sequence)
) WITHOUT ROWID;
-- Changes of the do-not-call list; the number may be a keyed digest.
CREATE TABLE IF NOT EXISTS do_not_call (
    id TEXT PRIMARY KEY,
    action TEXT NOT NULL,
    number TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    source TEXT NOT NULL,
    reason TEXT
) WITHOUT ROWID;
-- Days that were closed at run time, as they are now.
CREATE TABLE IF NOT EXISTS closed_days (
    id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    by_name TEXT NOT NULL,
    reason TEXT
) WITHOUT ROWID;
-- Campaigns as they were last known; the columns are the fields of CampaignRow.
CREATE TABLE IF NOT EXISTS call_campaigns (
    key TEXT PRIMARY KEY,
    campaign_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    settings TEXT NOT NULL,
    counts TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    started_ms INTEGER,
    ended_ms INTEGER,
    steered_by TEXT
) WITHOUT ROWID;
