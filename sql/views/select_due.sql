-- name: select_due
-- In: $until, $deadline_s, $time_scale, $waiting (jobs with a pair that is open). The first moment
-- from $until on at which a verdict or a finding of a job may change although nothing is recorded:
-- a deadline after some sign of a job of which something is open, or an end that is later than what
-- the record is complete for. A millisecond more makes up for rounding.
WITH signs AS (
    SELECT job_id, true AS waits,
           claimed_at IS NULL OR triggered_at IS NULL OR flow_started_at IS NULL
               OR candidate_finished_at IS NULL AS open,
           unnest([created_at, claimed_at, triggered_at, flow_started_at, control_started_at,
                   control_finished_at]) AS said_at
    FROM jobs_now
    UNION ALL
    SELECT job_id, true, outcome NOT IN ('submitted', 'skipped', 'failed') OR raw_status = 'error',
           unnest([started_at, finished_at])
    FROM submissions_now
    UNION ALL
    SELECT job_id, false, false, finished_at FROM submissions_now
), moments AS (
    SELECT job_id, waits, open,
           CASE WHEN waits
                THEN said_at + to_microseconds(($deadline_s / $time_scale * 1000000)::BIGINT)
                ELSE said_at END AS due
    FROM signs
    WHERE said_at IS NOT NULL
), firsts AS (
    SELECT job_id, coalesce(bool_or(open), false) AS open,
           min(due) FILTER (due >= $until::TIMESTAMPTZ - INTERVAL 1 MILLISECOND) AS any_due,
           min(due) FILTER (NOT waits AND due >= $until::TIMESTAMPTZ - INTERVAL 1 MILLISECOND)
               AS own_due
    FROM moments
    GROUP BY job_id
)
SELECT job_id,
       CASE WHEN open OR job_id IN (SELECT unnest($waiting::VARCHAR[])) THEN any_due
            ELSE own_due END AS due
FROM firsts
WHERE due IS NOT NULL;
