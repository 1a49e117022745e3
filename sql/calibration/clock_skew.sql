-- fault: the machine that writes the outcome is a day behind
-- name: select_places
SELECT job_id, directory FROM submissions_now s
WHERE s.side = 'candidate' AND s.mode = 'live' AND finished_at >= started_at

-- name: select_planted
SELECT * REPLACE (
    CASE WHEN kind = 'queue_history' AND directory IS NOT NULL
              AND (payload->>'$.event') <> 'submitting'
         THEN occurred_at - INTERVAL 1 DAY ELSE occurred_at END
    AS occurred_at)
FROM copies
