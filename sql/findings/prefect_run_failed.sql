-- title: A flow run failed, crashed or came late
-- severity: warning
-- why: The queue does not hear of it: its message was deleted when the run was triggered, so nothing
--   retries the job and the dead-letter queue stays empty.
-- mend: Look at the log of the run in Prefect and mend the first cause that several share; late runs
--   ask for workers. Re-queue the jobs that have no outcome.
-- scope: journal
-- reads: prefect.flow_run prefect.sample
WITH told AS (
    SELECT seq, occurred_at, job_id, (payload->>'$.flow_run_id') AS run,
           (payload->>'$.state_type') AS type, (payload->>'$.state_name') AS name,
           (payload->>'$.message') AS message, (payload->>'$.late')::BOOL AS late,
           (payload->>'$.late_s')::DOUBLE AS late_s
    FROM events_now
    WHERE kind = 'prefect.flow_run'
      AND (getvariable('since') IS NULL OR occurred_at >= getvariable('since'))
), waiting AS (
    SELECT seq, unnest((payload->'$.late_runs')::JSON[]) AS line
    FROM events_now
    WHERE kind = 'prefect.sample'
      AND (getvariable('since') IS NULL OR occurred_at >= getvariable('since'))
), late AS (
    SELECT run, job_id, late_s, seq FROM told WHERE late
    UNION ALL
    SELECT (line->>'$.flow_run_id'), (line->>'$.job_id'), (line->>'$.late_s')::DOUBLE, seq
    FROM waiting
), found AS (
    SELECT job_id, run, seq, 1 AS rank,
           coalesce(name, type) || ' ' || strftime(occurred_at, '%H:%M:%S') || ' UTC'
               || coalesce(': ' || left(message, 120), '') AS detail
    FROM told
    WHERE type IN ('FAILED', 'CRASHED')
    UNION ALL
    SELECT any_value(job_id), run, max(seq), 2, 'late by ' || max(late_s)::INT || ' s or more'
    FROM late
    GROUP BY run
)
SELECT 'live' AS mode, job_id, NULL AS directory, detail || ', flow run ' || run AS detail, seq
FROM found
ORDER BY job_id, run, rank, seq, directory, detail;
