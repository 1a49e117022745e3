-- title: A worker's row was left behind
-- severity: warning
-- why: This worker said "idle" and was never heard of again, while others went on. Each process takes
--   a new id and none signs off, so the view stale_workers counts every one that ever ended, and an
--   alarm on it rings for ever.
-- mend: Let a process delete its row, or mark it, when it ends. Count as stale only a worker that
--   holds a job.
-- scope: journal
-- reads: worker_heartbeats
WITH beats AS (
    SELECT (payload->>'$.worker_id') AS worker, max(seq) AS seq,
           arg_max(payload->>'$.status', seq) AS status,
           arg_max(moment_of(payload->>'$.last_heartbeat'), seq) AS seen_at
    FROM events_now
    WHERE kind = 'worker_heartbeats' AND source = 'production'
      AND (getvariable('since') IS NULL OR occurred_at >= getvariable('since'))
    GROUP BY worker
)
SELECT 'live' AS mode, NULL AS job_id, NULL AS directory,
       'worker ' || worker || ' idle since ' || strftime(seen_at, '%d %B %H:%M:%S') || ' UTC' AS detail,
       seq
FROM beats
WHERE status = 'idle'
  AND epoch((SELECT max(seen_at) FROM beats) - seen_at) * $time_scale > 120
ORDER BY seen_at, worker, job_id, directory, detail, seq;
