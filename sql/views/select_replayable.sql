-- What a replay needs of the record, and what the record already holds of one run.

-- name: select_replayable
-- One row per submission that the control's record knows, in the control's order of jobs: every
-- word of the control (one a row; rows may share a host), the live candidate's word, the newest
-- recorded plan, and the business as the customer, the job and the control's row have it.
-- Cost: one scan of the job_results and customers events.
WITH plans AS (
    SELECT
        job_id, host_of(directory) AS directory,
        max_by((payload->'$.payload.plan'), seq) AS plan,
        max_by((payload->'$.payload.business'), seq) AS business
    FROM events_now
    WHERE kind = 'job_results' AND source = 'production' AND directory IS NOT NULL
      AND json_type(payload, '$.payload.plan') IN ('ARRAY', 'OBJECT')
    GROUP BY ALL
), customers AS (
    -- jobs.customer_id refers to customers.customer_id in one schema and to customers.id in others.
    SELECT customer_id, max_by(payload, seq) AS customer
    FROM (
        SELECT unnest([(payload->>'$.id'), (payload->>'$.customer_id')]) AS customer_id, payload, seq
        FROM events_now WHERE kind = 'customers' AND source = 'production'
    )
    WHERE customer_id IS NOT NULL
    GROUP BY customer_id
), control AS (
    SELECT
        job_id, coalesce(directory, '') AS directory,
        list([outcome, error_class, error_text] ORDER BY unit) AS words,
        first(sent ORDER BY unit) AS listing
    FROM submissions_now
    WHERE mode = 'live' AND side = 'control'
    GROUP BY ALL
), candidate AS (
    SELECT job_id, directory, outcome, error_class
    FROM submissions_now
    WHERE mode = 'live' AND side = 'candidate' AND raw_status IS NOT NULL
)
SELECT
    control.job_id, control.directory, control.words,
    candidate.outcome AS candidate_outcome, candidate.error_class AS candidate_error_class,
    plans.plan, plans.business AS plan_business,
    customers.customer, jobs_now.business AS job_business, control.listing
FROM control
LEFT JOIN candidate USING (job_id, directory)
LEFT JOIN plans USING (job_id, directory)
LEFT JOIN jobs_now USING (job_id)
LEFT JOIN customers ON customers.customer_id = jobs_now.customer_id
ORDER BY jobs_now.created_at NULLS LAST, control.job_id, control.directory;

-- name: select_run_starts
SELECT payload FROM events_now
WHERE source = $source AND kind = 'replay.started' ORDER BY seq;

-- name: select_run_submissions
SELECT
    job_id, directory,
    (payload->>'$.excluded') AS excluded,
    (payload->>'$.condition') AS condition,
    (payload->>'$.claimed.status') AS claimed,
    (payload->>'$.observed.accepted')::INT AS accepted,
    (payload->>'$.crashed')::BOOLEAN AS crashed
FROM events_now
WHERE source = $source AND kind = 'replay.submission' ORDER BY seq;

-- name: count_run_escapes
SELECT coalesce(sum((payload->>'$.count')::INT), 0)::INT AS escapes
FROM events_now
WHERE source = $source AND kind = 'replay.escape';

-- name: count_run_ends
SELECT count(*)::INT AS ends FROM events_now
WHERE source = $source AND kind = 'replay.finished';
