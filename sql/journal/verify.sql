-- Each query returns what is wrong; a clean journal returns no row.

-- name: seq_not_dense
SELECT count(*) AS events, min(seq) AS first, max(seq) AS last
FROM events
HAVING count(*) > 0 AND (min(seq) <> 1 OR max(seq) <> count(*) OR count(DISTINCT seq) <> count(*));

-- name: duplicate_keys
SELECT key, count(*) AS times FROM events GROUP BY key HAVING count(*) > 1 LIMIT 20;

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

-- name: select_batch_digests
SELECT b.batch, b.hash,
       coalesce(string_agg(e.event_hash, '' ORDER BY e.seq), '') AS body
FROM batches b
LEFT JOIN (
    SELECT batch, seq, sha256(concat_ws(chr(31), seq, epoch_us(recorded_at), epoch_us(occurred_at),
                                        source, kind, key, coalesce(job_id, chr(30)),
                                        coalesce(directory, chr(30)), payload::VARCHAR)) AS event_hash
    FROM events
) e USING (batch)
GROUP BY b.batch, b.hash
ORDER BY b.batch;
