-- Reading few jobs out of a long journal. See harness/journal/focus.py.

-- name: select_places
-- In: $after, $grain, $kinds. The jobs of which something was recorded after a seq, and where in the
-- journal it stands: a place is $grain events long. job_id NULL: events that name no job.
SELECT DISTINCT job_id, place
FROM (
    SELECT job_id, seq // $grain AS place FROM events_now
    WHERE seq > $after AND list_contains($kinds::VARCHAR[], kind)
    UNION ALL
    SELECT job_id, from_seq // $grain FROM jobs
    WHERE from_seq > $after AND from_seq <= getvariable('as_of_seq')
    UNION ALL
    SELECT job_id, from_seq // $grain FROM submissions
    WHERE from_seq > $after AND from_seq <= getvariable('as_of_seq')
);

-- name: select_events
-- In: $first, $last, $jobs, $kinds, $nameless. The range lets whole row groups be left out.
SELECT seq, occurred_at, source, kind, job_id, directory, payload FROM events_now
WHERE seq BETWEEN $first AND $last AND list_contains($kinds::VARCHAR[], kind)
  AND (job_id IN (SELECT unnest($jobs::VARCHAR[])) OR ($nameless AND job_id IS NULL));

-- name: select_jobs
-- In: $first, $last, $jobs. Every version, since an older one may tell that the job is too old.
SELECT * FROM jobs
WHERE from_seq BETWEEN $first AND $last AND from_seq <= getvariable('as_of_seq')
  AND job_id IN (SELECT unnest($jobs::VARCHAR[]));

-- name: select_submissions
-- In: $first, $last, $jobs. As submissions_now, but for jobs that are too old.
SELECT * FROM submissions
WHERE from_seq BETWEEN $first AND $last AND from_seq <= getvariable('as_of_seq')
  AND (to_seq IS NULL OR to_seq > getvariable('as_of_seq'))
  AND job_id IN (SELECT unnest($jobs::VARCHAR[]));

-- name: select_new_events
-- In: $after, $kinds.
SELECT seq, occurred_at, source, kind, job_id, directory, payload FROM events_now
WHERE seq > $after AND list_contains($kinds::VARCHAR[], kind);

-- name: select_new_jobs
-- In: $after, $until.
SELECT * FROM jobs WHERE from_seq > $after AND from_seq <= $until;

-- name: select_new_submissions
-- In: $after, $until.
SELECT * FROM submissions
WHERE from_seq > $after AND from_seq <= $until
  AND (to_seq IS NULL OR to_seq > $until);

-- name: select_identity
-- In: $before, $seq. Which journal it is, and the running hash up to the last whole batch at or
-- before each seq, of which the first is not later. Of batches with one seq the first counts, as in
-- ``select_head_as_of``.
SELECT (SELECT journal_id FROM meta) AS journal_id,
       arg_max(hash, (last_seq, -batch)) FILTER (last_seq <= $before) AS before,
       arg_max(hash, (last_seq, -batch)) AS hash
FROM batches WHERE last_seq <= $seq;

-- name: create_events
-- Without key and recorded_at, which no detector reads.
CREATE TABLE events_now (
    seq BIGINT, occurred_at TIMESTAMPTZ, source VARCHAR, kind VARCHAR, job_id VARCHAR,
    directory VARCHAR, payload JSON
);

-- name: create_blind
CREATE TABLE blind (seq BIGINT, from_at TIMESTAMPTZ, to_at TIMESTAMPTZ);

-- name: select_kept
-- The events that a detector of scope "journal" or "order" can ever make something of. Keeping these
-- of those that were kept and of what is new gives the same as keeping these of all.
SELECT * FROM events_now
WHERE kind IN ('sqs.dead_letter', 'replay.escape', 'record.gap', 'schema.drift')
   OR (kind = 'workers.sample' AND len(payload->>'$.stale[*]') > 0)
   OR (kind = 'prefect.sample'
       AND ((payload->>'$.deployments')::INT = 0 OR NOT (payload->>'$.deployment.exists')::BOOL
            OR len((payload->'$.late_runs')::JSON[]) > 0))
   OR (kind = 'prefect.flow_run'
       AND ((payload->>'$.late')::BOOL OR (payload->>'$.state_type') IN ('FAILED', 'CRASHED')))
UNION ALL BY NAME
(SELECT * FROM events_now WHERE kind = 'sqs.sample' ORDER BY occurred_at DESC, seq DESC LIMIT 1)
UNION ALL BY NAME
-- Of each worker the newest word, and the newest that says each thing that is asked.
SELECT * EXCLUDE (worker, status, seen_at)
FROM (
    SELECT *, (payload->>'$.worker_id') AS worker, (payload->>'$.status') AS status,
           moment_of(payload->>'$.last_heartbeat') AS seen_at
    FROM events_now
    WHERE kind = 'worker_heartbeats' AND source = 'production'
      AND (getvariable('since') IS NULL OR occurred_at >= getvariable('since'))
)
WINDOW of_worker AS (PARTITION BY worker)
QUALIFY seq IN (
    max(seq) OVER of_worker,
    max(seq) FILTER (status IS NOT NULL) OVER of_worker,
    max(seq) FILTER (seen_at IS NOT NULL) OVER of_worker);
