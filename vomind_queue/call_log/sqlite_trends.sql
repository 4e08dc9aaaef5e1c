-- What became of calls over time; `Step` has the meanings.
SELECT
    started_ms / :step * :step AS at,
    CASE
        WHEN outcome = 'completed' AND (answered_by LIKE 'machine%' OR answered_by LIKE 'fax%')
        THEN 'machine'
        ELSE coalesce(outcome, 'none')
    END AS ended,
    -- Rounded up, so that there are few.
    CASE
        WHEN attempts > 1 THEN NULL
        WHEN wait <= 1000 THEN (wait + 49) / 50 * 50
        WHEN wait <= 10000 THEN (wait + 249) / 250 * 250
        WHEN wait <= 60000 THEN (wait + 999) / 1000 * 1000
        WHEN wait <= 600000 THEN (wait + 9999) / 10000 * 10000
        WHEN wait <= 3600000 THEN (wait + 59999) / 60000 * 60000
        ELSE (wait + 599999) / 600000 * 600000
    END AS waited,
    count(*) AS number
FROM (
    SELECT
        started_ms,
        outcome,
        answered_by,
        attempts,
        max(started_ms - max(queued_ms, coalesce(scheduled_ms, 0)), 0) AS wait
    FROM call_logs
    WHERE started_ms >= :since AND started_ms < :until
)
GROUP BY at, ended, waited
ORDER BY at
