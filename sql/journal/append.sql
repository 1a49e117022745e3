-- Statements of one append. `drafts` holds the events of the batch, numbered in their order.

-- name: select_version
SELECT schema_version FROM meta;

-- name: upgrade_key_hash
-- Version 1 took the key's BLAKE2b, which DuckDB cannot compute.
UPDATE events SET key_hash = md5_number_upper(key);

-- name: upgrade_version
UPDATE meta SET schema_version = $version;

-- name: select_head
SELECT coalesce(max(last_seq), 0) AS seq, coalesce(max(batch), 0) AS batch,
       max(recorded_at) AS recorded_at
FROM batches;

-- name: select_hash
SELECT hash FROM batches WHERE batch = $batch;

-- name: create_known
-- Events whose key the journal has already. The integer semi-join narrows the journal to the few rows
-- that can match, so the strings of millions of other keys are never read.
CREATE OR REPLACE TEMP TABLE known AS
SELECT key FROM events WHERE key_hash IN (SELECT key_hash FROM drafts);

-- name: create_fresh
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT *, row_number() OVER (ORDER BY ordinal) AS offset_
FROM drafts
WHERE key NOT IN (SELECT key FROM known);

-- name: create_fresh_of_all
-- Where nothing is known, as in a first copy, a view saves writing everything down once more.
CREATE OR REPLACE TEMP VIEW fresh AS SELECT *, ordinal + 1 AS offset_ FROM drafts;

-- name: insert_events
-- `fresh` is in order already; to sort it once more would take a third of the insert's time.
INSERT INTO events
SELECT $head + offset_, $recorded_at, occurred_at, source, kind, key, job_id, directory,
       payload::JSON, $batch, key_hash
FROM fresh;

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
