-- The list of calls: an index in its order for each choice of filters.
CREATE INDEX IF NOT EXISTS call_logs_job ON call_logs (job_id, key);
CREATE INDEX IF NOT EXISTS call_logs_number ON call_logs (to_number, key);
CREATE INDEX IF NOT EXISTS call_logs_lead ON call_logs (lead_id, key);
CREATE INDEX IF NOT EXISTS call_logs_state ON call_logs (state, key);
CREATE INDEX IF NOT EXISTS call_list_outcome ON call_logs (list_outcome, key);
CREATE INDEX IF NOT EXISTS call_logs_priority ON call_logs (priority, key);
CREATE INDEX IF NOT EXISTS call_list_state_outcome ON call_logs (state, list_outcome, key);
CREATE INDEX IF NOT EXISTS call_logs_state_priority ON call_logs (state, priority, key);
CREATE INDEX IF NOT EXISTS call_list_outcome_priority ON call_logs (list_outcome, priority, key);
CREATE INDEX IF NOT EXISTS call_list_all ON call_logs (state, list_outcome, priority, key);
-- Calls of no campaign are not in these.
CREATE INDEX IF NOT EXISTS call_logs_campaign ON call_logs (campaign_id, key)
    WHERE campaign_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_logs_campaign_state ON call_logs (campaign_id, state, key)
    WHERE campaign_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_list_campaign_outcome ON call_logs (campaign_id, list_outcome, key)
    WHERE campaign_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS call_list_campaign_both
    ON call_logs (campaign_id, state, list_outcome, key) WHERE campaign_id IS NOT NULL;
-- Trends are counted in its order: nothing is sorted.
CREATE INDEX IF NOT EXISTS call_trends
    ON call_logs (quarter_ms, list_outcome, waited_ms, started_ms);
CREATE INDEX IF NOT EXISTS call_logs_finished ON call_logs (finished_ms);
CREATE INDEX IF NOT EXISTS do_not_call_number ON do_not_call (number);
CREATE INDEX IF NOT EXISTS call_events_number ON call_events (to_number);
-- These did the same for a voicemail as for a person who answered.
DROP INDEX IF EXISTS call_logs_outcome;
DROP INDEX IF EXISTS call_logs_state_outcome;
DROP INDEX IF EXISTS call_logs_outcome_priority;
DROP INDEX IF EXISTS call_logs_all_three;
DROP INDEX IF EXISTS call_logs_campaign_outcome;
DROP INDEX IF EXISTS call_logs_campaign_both;
DROP INDEX IF EXISTS call_logs_started;
