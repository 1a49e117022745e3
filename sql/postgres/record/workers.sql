-- Who works, as of one snapshot. The tables exist in several shapes, so their rows are read as
-- JSON: a heartbeat's time is last_heartbeat in one shape and last_seen in the other.

-- name: find_relations
-- In: %(schema)s. Out: what can be asked.
SELECT to_regclass(format('%%I.stale_workers', %(schema)s::text)) IS NOT NULL AS stale_view,
       to_regclass(format('%%I.worker_heartbeats', %(schema)s::text)) IS NOT NULL AS heartbeats,
       to_regclass(format('%%I.worker_status', %(schema)s::text)) IS NOT NULL AS control,
       to_regclass(format('%%I.jobs', %(schema)s::text)) IS NOT NULL AS jobs;

-- name: count_stale_view
SELECT count(*) AS stale FROM {stale_view};

-- name: select_heartbeats
-- Out: one row, without those who ended long ago. A process that is gone stays idle for ever, so
-- silence alone is no sign of trouble. It is one where the last word was "running", or where the
-- job in hand is still in progress.
WITH beats AS (
    SELECT to_jsonb(h) AS h FROM {heartbeats} h
), workers AS (
    SELECT h->>'worker_id' AS worker, h->>'status' AS status, h->>'current_job_id' AS job_id,
           coalesce(h->>'last_heartbeat', h->>'last_seen')::timestamptz AS seen_at
    FROM beats
), judged AS (
    SELECT w.worker, w.status, w.seen_at,
           coalesce(w.seen_at >= now() - interval '2 minutes', false) AS lively,
           w.status = 'running' OR EXISTS (
               SELECT FROM {jobs} j WHERE j.id::text = w.job_id AND j.status = 'in_progress'
           ) AS busy
    FROM workers w
)
SELECT count(*) FILTER (WHERE lively AND status = 'running') AS running,
       count(*) FILTER (WHERE lively AND status = 'idle') AS idle,
       count(*) FILTER (WHERE NOT lively AND busy) AS stale_count,
       (array_agg(worker ORDER BY seen_at DESC NULLS LAST, worker)
            FILTER (WHERE NOT lively AND busy))[:%(most)s] AS stale
FROM judged;

-- name: select_control
SELECT s->>'worker_id' AS worker, s->>'status' AS status, s->>'desired_state' AS desired_state,
       (s->>'last_heartbeat')::timestamptz AS seen_at
FROM (SELECT to_jsonb(w) AS s FROM {control} w) AS workers
ORDER BY seen_at DESC NULLS LAST, worker
LIMIT %(most)s;
