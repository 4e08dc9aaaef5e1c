-- What became of calls over time; `Step` has the meanings.
SELECT {at} AS at, list_outcome AS ended, waited_ms AS waited, count(*) AS number
FROM call_logs
WHERE quarter_ms >= :first AND quarter_ms <= :until AND started_ms >= :since AND started_ms < :until
GROUP BY at, ended, waited
ORDER BY at, ended, waited
