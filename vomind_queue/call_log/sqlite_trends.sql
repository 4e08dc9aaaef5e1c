-- What became of calls over time; `Step` has the meanings. SQLite has no percentiles.
WITH calls AS (
    SELECT
        started_ms / :step * :step AS at,
        CASE
            WHEN outcome = 'completed' AND (answered_by LIKE 'machine%' OR answered_by LIKE 'fax%')
            THEN 'machine'
            ELSE coalesce(outcome, 'none')
        END AS outcome,
        CASE WHEN attempts <= 1
            THEN max(started_ms - max(queued_ms, coalesce(scheduled_ms, 0)), 0)
        END AS wait
    FROM call_logs
    WHERE started_ms >= :since AND started_ms < :until
),
placed AS (
    SELECT
        at,
        wait,
        row_number() OVER (PARTITION BY at ORDER BY wait) AS place,
        count(*) OVER (PARTITION BY at) AS number
    FROM calls
    WHERE wait IS NOT NULL
),
waits AS (
    SELECT
        at,
        min(wait) FILTER (WHERE place * 2 >= number) AS p50,
        min(wait) FILTER (WHERE place * 10 >= number * 9) AS p90
    FROM placed
    GROUP BY at
)
SELECT calls.at AS at, outcome, count(*) AS number, p50, p90
FROM calls LEFT JOIN waits ON waits.at = calls.at
GROUP BY calls.at, outcome
ORDER BY calls.at
