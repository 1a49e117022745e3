-- What a replay needs of the record, and what the record already holds of one run.

-- name: select_recorded
-- One row per submission of the control's record, in the control's order of jobs, that these words
-- leave. began_at: when the control began it, else when its job was created. In: $outcomes (any of
-- its rows ended so; in_flight where none ended; all where the list is empty), $since, $until (or
-- NULL). Cost: one scan of the submissions; no event is read.
SELECT c.job_id, c.directory, coalesce(c.began_at, jobs_now.created_at) AS began
FROM (
    SELECT
        job_id, coalesce(directory, '') AS directory, min(started_at) AS began_at,
        bool_or(outcome <> 'in_flight') AS ended,
        bool_or(outcome <> 'in_flight' AND list_contains($outcomes::VARCHAR[], outcome)) AS named
    FROM submissions_now
    WHERE mode = 'live' AND side = 'control'
    GROUP BY ALL
) c
LEFT JOIN jobs_now USING (job_id)
WHERE (len($outcomes::VARCHAR[]) = 0 OR c.named
       OR (NOT c.ended AND list_contains($outcomes::VARCHAR[], 'in_flight')))
  AND ($since::TIMESTAMPTZ IS NULL OR began >= $since::TIMESTAMPTZ)
  AND ($until::TIMESTAMPTZ IS NULL OR began < $until::TIMESTAMPTZ)
ORDER BY jobs_now.created_at NULLS LAST, c.job_id, c.directory;

-- name: select_recorded_jobs
SELECT DISTINCT job_id FROM submissions_now WHERE mode = 'live' AND side = 'control';

-- name: select_replayable
-- One row per submission of the lists $jobs and $directories (same length, by place): every word of
-- the control (one a row; rows may share a host), the live candidate's word, the newest recorded
-- plan, the business as the customer, the job and the control's row have it, and the job's package.
-- Cost: one scan of the keys of all events, and the payloads of these jobs.
WITH wanted AS MATERIALIZED (
    SELECT unnest($jobs::VARCHAR[]) AS job_id, unnest($directories::VARCHAR[]) AS directory
), wanted_jobs AS MATERIALIZED (
    SELECT DISTINCT job_id FROM wanted
), asked AS MATERIALIZED (
    SELECT jobs_now.* FROM jobs_now SEMI JOIN wanted_jobs USING (job_id)
), plans AS (
    SELECT
        job_id, host_of(directory) AS directory,
        max_by((payload->'$.payload.plan'), seq) AS plan,
        max_by((payload->'$.payload.business'), seq) AS business
    FROM events_now
    WHERE kind = 'job_results' AND source = 'production' AND directory IS NOT NULL
      AND job_id IN (SELECT job_id FROM wanted_jobs)
      AND json_type(payload, '$.payload.plan') IN ('ARRAY', 'OBJECT')
    GROUP BY ALL
), customers AS (
    -- jobs.customer_id refers to customers.customer_id in one schema and to customers.id in others.
    SELECT customer_id, max_by(payload, seq) AS customer
    FROM (
        SELECT unnest([(payload->>'$.id'), (payload->>'$.customer_id')]) AS customer_id, payload, seq
        FROM events_now WHERE kind = 'customers' AND source = 'production'
    )
    WHERE customer_id IN (SELECT customer_id FROM asked)
    GROUP BY customer_id
), control AS (
    SELECT
        job_id, coalesce(directory, '') AS directory,
        list([outcome, error_class, error_text] ORDER BY unit) AS words,
        first(sent ORDER BY unit) AS listing, first(url ORDER BY unit) AS directory_url
    FROM submissions_now SEMI JOIN wanted_jobs USING (job_id)
    WHERE mode = 'live' AND side = 'control'
    GROUP BY ALL
), candidate AS (
    SELECT job_id, directory, outcome, error_class
    FROM submissions_now SEMI JOIN wanted_jobs USING (job_id)
    WHERE mode = 'live' AND side = 'candidate' AND raw_status IS NOT NULL
)
SELECT
    control.job_id, control.directory, control.words,
    candidate.outcome AS candidate_outcome, candidate.error_class AS candidate_error_class,
    plans.plan, plans.business AS plan_business,
    customers.customer, asked.business AS job_business, control.listing,
    control.directory_url, asked.package_size, asked.priority
FROM control
SEMI JOIN wanted USING (job_id, directory)
LEFT JOIN candidate USING (job_id, directory)
LEFT JOIN plans USING (job_id, directory)
LEFT JOIN asked USING (job_id)
LEFT JOIN customers ON customers.customer_id = asked.customer_id;

-- name: select_run_starts
SELECT payload FROM events_now
WHERE source = $source AND kind = 'replay.started' ORDER BY seq;

-- name: select_run_submissions
SELECT
    job_id, directory,
    (payload->>'$.excluded') AS excluded,
    (payload->>'$.condition') AS condition,
    (payload->>'$.claimed.status') AS claimed,
    (payload->>'$.claimed.error_text') AS error_text,
    (payload->>'$.observed.accepted')::INT AS accepted,
    (payload->>'$.crashed')::BOOLEAN AS crashed,
    coalesce((payload->>'$.overloaded')::BOOLEAN, false) AS overloaded
FROM events_now
WHERE source = $source AND kind = 'replay.submission' ORDER BY seq;

-- name: select_run_repeats
-- What was done again with evidence on, and whether it ended otherwise.
SELECT job_id, directory, (payload->>'$.flaky')::BOOLEAN AS flaky
FROM events_now
WHERE source = $source AND kind = 'replay.again' ORDER BY seq;

-- name: select_run_outcomes
-- What the worker claimed and the site saw in one run, and whether doing it again ended otherwise.
SELECT
    s.job_id, s.directory,
    (s.payload->>'$.condition') AS condition,
    (s.payload->>'$.claimed.status') AS claimed,
    CASE WHEN claimed = 'failed' THEN classify_error((s.payload->>'$.claimed.error_text')) END
        AS error_class,
    (s.payload->>'$.claimed.error_text') AS error_text,
    (s.payload->>'$.observed.accepted')::INT AS accepted,
    (s.payload->>'$.observed.posts')::INT AS posts,
    md5((s.payload->>'$.observed.values')) AS values_digest,
    coalesce((s.payload->>'$.overloaded')::BOOLEAN, false)
        OR coalesce((a.payload->>'$.flaky')::BOOLEAN, false) AS unsteady
FROM (SELECT * FROM events_now WHERE source = $source AND kind = 'replay.submission') s
LEFT JOIN (SELECT * FROM events_now WHERE source = $source AND kind = 'replay.again') a
    USING (job_id, directory)
WHERE (s.payload->>'$.excluded') IS NULL
ORDER BY s.job_id, s.directory;

-- name: count_run_escapes
SELECT coalesce(sum((payload->>'$.count')::INT), 0)::INT AS escapes
FROM events_now
WHERE source = $source AND kind = 'replay.escape';

-- name: count_run_ends
SELECT count(*)::INT AS ends FROM events_now
WHERE source = $source AND kind = 'replay.finished';
