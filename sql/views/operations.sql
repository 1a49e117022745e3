-- What the recorder says of itself, and the newest of each kind of sample, as of a moment.

-- name: select_last_sample
-- In: $kind.
SELECT occurred_at, payload FROM events_now WHERE kind = $kind ORDER BY seq DESC LIMIT 1;

-- name: select_recorder
-- The newest recorder: how it began, its last sweep, and how it ended, as far as it has.
WITH own AS (
    SELECT seq, occurred_at, kind, payload FROM events_now
    WHERE kind IN ('record.started', 'record.sweep', 'record.stopped')
      AND seq >= (SELECT max(seq) FROM events_now WHERE kind = 'record.started')
)
SELECT
    max_by(occurred_at, seq) FILTER (kind = 'record.started') AS started_at,
    max_by(payload, seq) FILTER (kind = 'record.started') AS started,
    max_by(occurred_at, seq) FILTER (kind = 'record.sweep') AS swept_at,
    max_by(payload, seq) FILTER (kind = 'record.sweep') AS sweep,
    max_by(occurred_at, seq) FILTER (kind = 'record.stopped') AS stopped_at,
    max_by(payload, seq) FILTER (kind = 'record.stopped') AS stopped
FROM own
HAVING count(*) > 0;

-- name: select_marks
-- In: $seq. The newest watermark of each source; one that was written without events counts from
-- the next event on, as for a single source. Two only remember a position and prove nothing.
SELECT source, max_by(position, batch) AS position, max_by(complete_until, batch) AS complete_until
FROM watermarks
WHERE seq <= $seq AND source NOT IN ('production:copy', 'production:schema')
  AND batch <= (SELECT coalesce(min(batch), 0) FROM batches WHERE last_seq >= $seq)
GROUP BY source ORDER BY source;

-- name: count_batches
-- In: $seq. Batches with events, up to the one that the moment falls into.
SELECT count(*) FROM batches WHERE first_seq <= $seq;

-- name: count_samples
SELECT kind, count(*) AS samples, max_by(occurred_at, seq) AS last_at
FROM events_now WHERE kind IN ('sqs.sample', 'prefect.sample', 'workers.sample')
GROUP BY kind;

-- name: count_disturbances
SELECT
    count(*) FILTER (kind = 'schema.drift') AS drifts,
    max_by(payload->>'$.table', seq) FILTER (kind = 'schema.drift') AS drifted,
    max_by(occurred_at, seq) FILTER (kind = 'schema.drift') AS drifted_at,
    count(*) FILTER (kind = 'record.clock') AS jumps,
    max_by(occurred_at, seq) FILTER (kind = 'record.reconcile') AS reconciled_at
FROM events_now WHERE kind IN ('schema.drift', 'record.clock', 'record.reconcile');
