-- Reading the journal as of a moment.

-- name: select_meta
SELECT journal_id, schema_version, created_at, tool_version FROM meta;

-- name: select_head
SELECT last_seq AS seq, hash, recorded_at FROM batches ORDER BY batch DESC LIMIT 1;

-- name: select_head_as_of
-- The chain up to the batch that ends at or before $seq. Batches of watermarks alone share the seq
-- of the batch before them; only the first counts, or the same seq would mean something else once
-- such a batch has followed.
SELECT last_seq AS seq, hash, recorded_at FROM batches
WHERE last_seq <= $seq ORDER BY last_seq DESC, batch LIMIT 1;

-- name: select_seq_at
-- Last event recorded at or before $at.
SELECT coalesce(max(last_seq), 0) AS seq FROM batches WHERE recorded_at <= $at;

-- name: select_time_of_seq
SELECT max(recorded_at) AS at FROM events WHERE seq <= $seq AND seq > $seq - 2;

-- name: select_watermark
-- A watermark written without events counts from the next event on, for the same reason.
SELECT source, position, complete_until FROM watermarks
WHERE source = $source AND seq <= $seq
  AND batch <= (SELECT coalesce(min(batch), 0) FROM batches WHERE last_seq >= $seq)
ORDER BY batch DESC LIMIT 1;

-- name: create_events_now
CREATE OR REPLACE TEMP VIEW events_now AS
SELECT seq, recorded_at, occurred_at, source, kind, key, job_id, directory, payload
FROM events
WHERE seq <= getvariable('as_of_seq');

-- name: create_submissions_now
CREATE OR REPLACE TEMP VIEW submissions_now AS
SELECT * FROM submissions
WHERE from_seq <= getvariable('as_of_seq')
  AND (to_seq IS NULL OR to_seq > getvariable('as_of_seq'))
  AND (getvariable('since') IS NULL OR job_id NOT IN (
        SELECT job_id FROM jobs WHERE created_at < getvariable('since')));

-- name: create_jobs_now
CREATE OR REPLACE TEMP VIEW jobs_now AS
SELECT * FROM jobs
WHERE from_seq <= getvariable('as_of_seq')
  AND (to_seq IS NULL OR to_seq > getvariable('as_of_seq'))
  AND (getvariable('since') IS NULL OR created_at IS NULL OR created_at >= getvariable('since'));

-- name: count_older_jobs
SELECT count(DISTINCT job_id) AS jobs FROM jobs
WHERE from_seq <= $seq AND created_at < $since;

-- name: create_blind
-- When the candidate's history could not be observed. from_at NULL: from the beginning; to_at NULL:
-- it still cannot.
CREATE OR REPLACE TEMP VIEW blind AS
WITH looks AS (
    -- Each look at queue_history, and whether the candidate's history could be observed in it.
    SELECT seq, occurred_at, CASE kind
        WHEN 'record.started' THEN list_contains(payload->>'$.tables.queue_history[*]', 'event')
        ELSE json_exists(payload, '$.added.event') END AS observable
    FROM events_now
    WHERE (kind = 'record.started' AND json_exists(payload, '$.tables.queue_history'))
       OR (kind = 'schema.drift' AND (payload->>'$.table') = 'queue_history'
           AND (json_exists(payload, '$.added.event') OR json_exists(payload, '$.missing.event')))
), spans AS (
    -- From a look that could not to the next look. What went before the first is as that found it.
    SELECT seq, CASE WHEN lag(seq) OVER in_order IS NOT NULL THEN occurred_at END AS from_at,
           lead(occurred_at) OVER in_order AS to_at
    FROM looks
    WINDOW in_order AS (ORDER BY seq)
    QUALIFY NOT observable
)
SELECT seq, from_at, to_at FROM spans;
