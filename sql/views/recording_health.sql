-- What the dashboard and the report say about the record itself.

-- name: count_events_by_kind
SELECT kind, count(*) AS events FROM events_now GROUP BY kind ORDER BY kind;

-- name: select_last_start
SELECT payload FROM events_now WHERE kind = 'record.started' ORDER BY seq DESC LIMIT 1;

-- name: select_last_turn
-- Whether the newest recorder has ended, and in good order.
SELECT kind, payload FROM events_now WHERE kind IN ('record.started', 'record.stopped')
ORDER BY seq DESC LIMIT 1;

-- name: select_last_recorded
-- When something other than a person's word was last journaled: that says nothing of the recorder.
SELECT recorded_at FROM events_now WHERE source <> 'operator' ORDER BY seq DESC LIMIT 1;

-- name: select_gaps
SELECT seq, payload FROM events_now WHERE kind = 'record.gap' ORDER BY seq;

-- name: select_last_proof
-- The last event that a complete sweep has behind it; as for the watermark, one that was written
-- without events counts from the next event on.
SELECT max(seq) FROM watermarks
WHERE source = 'production' AND seq <= getvariable('as_of_seq')
  AND batch <= (SELECT coalesce(min(batch), 0) FROM batches
                WHERE last_seq >= getvariable('as_of_seq'));

-- name: select_rewinds
-- Those that nobody has acknowledged.
SELECT payload FROM events_now
WHERE kind = 'record.rewound'
  AND seq > (SELECT coalesce(max(seq), 0) FROM events_now WHERE kind = 'record.acknowledged')
ORDER BY seq;

-- name: select_last_queue_sample
SELECT payload FROM events_now WHERE kind = 'sqs.sample' ORDER BY seq DESC LIMIT 1;

-- name: select_first_start
SELECT min(occurred_at) FROM events_now WHERE kind = 'record.started';

-- name: count_dead_letters
-- In: $since. The most ever seen at once, with those that somebody was just reading, and how many
-- different ones were read: emptying the queue mends no job.
SELECT
    max((payload->>'$.dlq_depth')::INT + coalesce((payload->>'$.dlq_in_flight')::INT, 0))
        FILTER (kind = 'sqs.sample') AS most,
    count(DISTINCT key) FILTER (kind = 'sqs.dead_letter') AS read
FROM events_now WHERE kind IN ('sqs.sample', 'sqs.dead_letter') AND occurred_at >= $since;

-- name: select_dlq_samples
SELECT occurred_at FROM events_now
WHERE kind = 'sqs.sample' AND (payload->>'$.dlq_depth') IS NOT NULL
ORDER BY occurred_at;

-- name: select_prefect_samples
SELECT occurred_at,
       TRY_CAST(payload->>'$.covers_from' AS TIMESTAMPTZ) AS covers_from,
       TRY_CAST(payload->>'$.covers_until' AS TIMESTAMPTZ) AS covers_until,
       (payload->>'$.open_complete')::BOOL AS open_complete,
       (payload->>'$.histories_waiting')::INT AS histories_waiting
FROM events_now WHERE kind = 'prefect.sample'
ORDER BY occurred_at;

-- name: count_prefect_errors
-- In: $since. A run counts once per kind, whatever became of it later.
WITH samples AS (
    SELECT payload FROM events_now WHERE kind = 'prefect.sample' AND occurred_at >= $since
), waiting AS (
    SELECT unnest((payload->'$.late_runs')::JSON[])->>'$.flow_run_id' AS run FROM samples
), told AS (
    SELECT (payload->>'$.flow_run_id') AS run, (payload->>'$.state_type') AS state,
           (payload->>'$.late')::BOOL AS late
    FROM events_now WHERE kind = 'prefect.flow_run' AND occurred_at >= $since
)
SELECT
    (SELECT count(*) FROM samples) AS samples,
    (SELECT coalesce(bool_or((payload->>'$.deployments')::INT = 0
                             OR NOT (payload->>'$.deployment.exists')::BOOL), false)
     FROM samples) AS undeployed,
    (SELECT count(DISTINCT run) FROM told WHERE state = 'FAILED') AS failed,
    (SELECT count(DISTINCT run) FROM told WHERE state = 'CRASHED') AS crashed,
    (SELECT count(DISTINCT run)
     FROM (SELECT run FROM told WHERE late UNION ALL SELECT run FROM waiting)) AS late;

-- name: count_unknown_flow_runs
-- In: $since, $until. Runs that the candidate says it triggered and no answer of Prefect contained.
SELECT count(DISTINCT payload->>'$.details.flow_run_id')
FROM events_now
WHERE kind = 'queue_history' AND source = 'production'
  AND (payload->>'$.event') = 'flow_triggered'
  AND occurred_at BETWEEN $since AND $until
  AND (payload->>'$.details.flow_run_id') NOT IN (
        SELECT (payload->>'$.flow_run_id') FROM events_now WHERE kind = 'prefect.flow_run');

-- name: select_last_prefect_sample
SELECT occurred_at, payload FROM events_now WHERE kind = 'prefect.sample'
ORDER BY seq DESC LIMIT 1;

-- name: select_last_workers_sample
SELECT payload FROM events_now WHERE kind = 'workers.sample' ORDER BY seq DESC LIMIT 1;

-- name: select_workers
-- Newest heartbeat of each worker, either side.
SELECT
    coalesce((payload->>'$.worker_id'), key) AS worker,
    (payload->>'$.status') AS status,
    kind,
    max_by(occurred_at, seq) AS seen_at
FROM (
    SELECT *, row_number() OVER (PARTITION BY kind, (payload->>'$.worker_id') ORDER BY seq DESC) AS n
    FROM events_now WHERE kind IN ('worker_heartbeats', 'worker_status')
)
WHERE n = 1
GROUP BY ALL
ORDER BY kind, worker;

-- name: select_replays
-- One row per run; a run without an end is still going or was killed.
SELECT
    s.payload AS started,
    s.occurred_at AS started_at,
    f.occurred_at AS finished_at,
    coalesce(d.done, 0) AS done,
    coalesce(d.excluded, 0) AS excluded,
    coalesce(e.escapes, 0) AS escapes,
    d.last_at AS last_at
FROM (
    SELECT source, max_by(payload, seq) AS payload, min(occurred_at) AS occurred_at
    FROM events_now WHERE kind = 'replay.started' GROUP BY source
) s
LEFT JOIN (
    SELECT source, max(occurred_at) AS occurred_at
    FROM events_now WHERE kind = 'replay.finished' GROUP BY source
) f USING (source)
LEFT JOIN (
    SELECT source,
           count(*) FILTER ((payload->>'$.excluded') IS NULL) AS done,
           count(*) FILTER ((payload->>'$.excluded') IS NOT NULL) AS excluded,
           max(occurred_at) AS last_at
    FROM events_now WHERE kind = 'replay.submission' GROUP BY source
) d USING (source)
LEFT JOIN (
    -- One event stands for all attempts alike; an event without a count for one.
    SELECT source, sum(coalesce((payload->>'$.count')::INT, 1))::INT AS escapes
    FROM events_now WHERE kind = 'replay.escape' GROUP BY source
) e USING (source)
ORDER BY started_at, s.source;

-- name: count_replay_exclusions
SELECT (payload->>'$.excluded') AS reason, count(*) AS submissions
FROM events_now
WHERE kind = 'replay.submission' AND (payload->>'$.excluded') IS NOT NULL
GROUP BY reason ORDER BY submissions DESC, reason;
