-- Statements of one append. `drafts` is the registered frame of the batch, in its order.

-- name: select_head
SELECT coalesce(max(last_seq), 0) AS seq, coalesce(max(batch), 0) AS batch FROM batches;

-- name: select_hash
SELECT hash FROM batches WHERE batch = $batch;

-- name: create_fresh
-- Events whose key the journal does not have. The integer semi-join narrows the journal to the few
-- rows that can match, so the strings of millions of other keys are never read.
CREATE OR REPLACE TEMP TABLE fresh AS
WITH known AS (
    SELECT key FROM events WHERE key_hash IN (SELECT key_hash FROM drafts)
)
SELECT *, row_number() OVER (ORDER BY ordinal) AS offset_
FROM drafts
WHERE key NOT IN (SELECT key FROM known);

-- name: insert_events
INSERT INTO events
SELECT $head + offset_, $recorded_at, occurred_at, source, kind, key, job_id, directory,
       payload::JSON, $batch, key_hash
FROM fresh
ORDER BY offset_;

-- name: select_digest
-- Hash over the events of one batch, in order, chained to the batch before.
SELECT sha256($previous || coalesce(string_agg(event_hash, '' ORDER BY seq), '')) AS hash
FROM (
    SELECT seq, sha256(concat_ws(chr(31), seq, epoch_us(recorded_at), epoch_us(occurred_at),
                                 source, kind, key, coalesce(job_id, chr(30)),
                                 coalesce(directory, chr(30)), payload::VARCHAR)) AS event_hash
    FROM events
    WHERE batch = $batch AND seq > $head
);

-- name: insert_batch
INSERT INTO batches VALUES ($batch, $recorded_at, $tier, $first_seq, $last_seq, $events, $hash);

-- name: insert_watermark
INSERT INTO watermarks VALUES ($source, $position::JSON, $complete_until, $batch, $seq);
