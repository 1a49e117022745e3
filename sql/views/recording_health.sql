-- What the dashboard and the report say about the record itself.

-- name: count_events_by_kind
SELECT kind, count(*) AS events FROM events_now GROUP BY kind ORDER BY kind;

-- name: select_last_start
SELECT payload FROM events_now WHERE kind = 'record.started' ORDER BY seq DESC LIMIT 1;

-- name: select_last_turn
-- Whether the newest recorder has ended, and in good order.
SELECT kind, payload FROM events_now WHERE kind IN ('record.started', 'record.stopped')
ORDER BY seq DESC LIMIT 1;

-- name: select_gaps
SELECT payload FROM events_now WHERE kind = 'record.gap' ORDER BY seq;

-- name: select_last_queue_sample
SELECT payload FROM events_now WHERE kind = 'sqs.sample' ORDER BY seq DESC LIMIT 1;

-- name: select_most_dead_letters
-- The most ever seen, with those that somebody was just reading: emptying the queue mends no job.
SELECT max((payload->>'$.dlq_depth')::INT + coalesce((payload->>'$.dlq_in_flight')::INT, 0))
FROM events_now WHERE kind = 'sqs.sample';

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

-- name: select_attestations
SELECT payload, occurred_at FROM events_now WHERE kind = 'attest' ORDER BY seq;

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
