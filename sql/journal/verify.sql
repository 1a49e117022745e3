-- Each query returns what is wrong; a clean journal returns no row.

-- name: seq_not_dense
SELECT count(*) AS events, min(seq) AS first, max(seq) AS last
FROM events
HAVING count(*) > 0 AND (min(seq) <> 1 OR max(seq) <> count(*) OR count(DISTINCT seq) <> count(*));

-- name: duplicate_keys
SELECT key, count(*) AS times FROM events GROUP BY key HAVING count(*) > 1 LIMIT 20;

-- name: wrong_key_hash
-- Exactly-once would not find such a key again. Version 1 took another hash.
SELECT seq, key FROM events
WHERE key_hash <> md5_number_upper(key) AND (SELECT schema_version FROM meta) > 1
LIMIT 20;

-- name: batch_mismatch
-- A batch whose events are not those it announced.
SELECT b.batch, b.events AS announced, coalesce(e.n, 0) AS present
FROM batches b
LEFT JOIN (SELECT batch, count(*) AS n, max(seq) AS last FROM events GROUP BY batch) e USING (batch)
WHERE coalesce(e.n, 0) <> b.events OR (e.last IS NOT NULL AND e.last <> b.last_seq)
LIMIT 20;

-- name: orphan_events
SELECT batch, count(*) AS events FROM events
WHERE batch NOT IN (SELECT batch FROM batches) GROUP BY batch LIMIT 20;

-- name: projection_behind
SELECT name, seq FROM projection_state
WHERE seq <> (SELECT coalesce(max(last_seq), 0) FROM batches);

-- name: batches_not_dense
SELECT batch, first_seq, last_seq FROM (
    SELECT *, lag(batch, 1, 0) OVER w AS before, lag(last_seq, 1, 0) OVER w AS seq_before
    FROM batches WINDOW w AS (ORDER BY batch)
)
WHERE batch <> before + 1 OR last_seq <> seq_before + events
   OR first_seq IS DISTINCT FROM CASE WHEN events > 0 THEN seq_before + 1 END
LIMIT 20;

-- name: batch_time
-- A batch and its events are recorded at one moment.
SELECT b.batch, b.recorded_at FROM batches b
JOIN (SELECT batch, min(recorded_at) AS first, max(recorded_at) AS last FROM events GROUP BY batch) e
    USING (batch)
WHERE b.recorded_at <> e.first OR b.recorded_at <> e.last
LIMIT 20;

-- name: time_goes_back
-- Clocks are corrected by less than a second; a larger jump is an event of its own.
SELECT batch, recorded_at FROM (
    SELECT batch, recorded_at, lag(recorded_at) OVER (ORDER BY batch) AS before FROM batches
)
WHERE recorded_at < before - INTERVAL 1 SECOND
  AND NOT EXISTS (SELECT 1 FROM events WHERE kind = 'record.clock')
LIMIT 20;

-- name: watermark_astray
SELECT w.source, w.batch, w.seq FROM watermarks w LEFT JOIN batches b USING (batch)
WHERE b.batch IS NULL OR w.seq <> b.last_seq
LIMIT 20;

-- name: watermark_goes_back
SELECT source, batch, complete_until FROM (
    SELECT source, batch, complete_until,
           lag(complete_until) OVER (PARTITION BY source ORDER BY batch) AS before
    FROM watermarks
)
WHERE complete_until < before
  AND NOT EXISTS (SELECT 1 FROM events
                  WHERE kind IN ('record.clock', 'record.rewound', 'record.acknowledged'))
LIMIT 20;

-- name: create_event_hash
CREATE OR REPLACE TEMP MACRO event_hash(
    seq, recorded_at, occurred_at, source, kind, key, job_id, directory, payload
) AS sha256(concat_ws(chr(31), seq, epoch_us(recorded_at), epoch_us(occurred_at), source, kind, key,
                      coalesce(job_id, chr(30)), coalesce(directory, chr(30)), payload::VARCHAR));

-- name: select_batch_digests
-- Of every batch after $after, with its stored hash where it has one already.
SELECT e.batch, b.hash, string_agg(e.event_hash, '' ORDER BY e.seq) AS body
FROM (
    SELECT batch, seq, event_hash(seq, recorded_at, occurred_at, source, kind, key, job_id,
                                  directory, payload) AS event_hash
    FROM events WHERE batch > $after
) e LEFT JOIN batches b USING (batch)
GROUP BY e.batch, b.hash
UNION ALL
SELECT batch, hash, '' FROM batches
WHERE batch > $after AND batch NOT IN (SELECT batch FROM events)
ORDER BY 1;
