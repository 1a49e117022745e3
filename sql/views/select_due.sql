-- name: select_due
-- In: $since, $heard. Of each job the first moments from which on silence may change a verdict or a
-- finding although nothing is recorded. waited: the first sign of it or of its submissions from
-- $heard on, after which a deadline runs. own: the first end from $since on, which is later than
-- what the record is complete for. open: whether something of it is.
SELECT job_id, coalesce(bool_or(open), false) AS open, min(waited) AS waited, min(own) AS own
FROM (
    SELECT
        job_id,
        claimed_at IS NULL OR triggered_at IS NULL OR flow_started_at IS NULL
            OR candidate_finished_at IS NULL AS open,
        least(
            CASE WHEN created_at >= $heard THEN created_at END,
            CASE WHEN claimed_at >= $heard THEN claimed_at END,
            CASE WHEN triggered_at >= $heard THEN triggered_at END,
            CASE WHEN flow_started_at >= $heard THEN flow_started_at END,
            CASE WHEN control_started_at >= $heard THEN control_started_at END,
            CASE WHEN control_finished_at >= $heard THEN control_finished_at END
        ) AS waited,
        NULL::TIMESTAMPTZ AS own
    FROM jobs_now
    UNION ALL
    SELECT
        job_id, outcome NOT IN ('submitted', 'skipped', 'failed') OR raw_status = 'error',
        least(
            CASE WHEN started_at >= $heard THEN started_at END,
            CASE WHEN finished_at >= $heard THEN finished_at END
        ),
        CASE WHEN finished_at >= $since THEN finished_at END
    FROM submissions_now
)
GROUP BY job_id
HAVING min(waited) IS NOT NULL OR min(own) IS NOT NULL;
