-- Slices of a journal as files. See harness/journal/trace_export.py and trace_import.py.

-- name: select_jobs
-- Every job that events name, with when the control created it.
SELECT e.job_id, j.created_at
FROM (SELECT DISTINCT job_id FROM events_now WHERE job_id IS NOT NULL) e
LEFT JOIN jobs_now j USING (job_id);

-- name: select_marks
-- Watermarks as of the moment, at most $most a source: the newest, and others evenly spread.
SELECT source, complete_until, batch, recorded_at, tier
FROM (
    SELECT w.source, w.complete_until, w.batch, b.recorded_at, b.tier,
           row_number() OVER (PARTITION BY w.source ORDER BY w.batch DESC) AS n,
           count(*) OVER (PARTITION BY w.source) AS marks
    FROM watermarks w JOIN batches b USING (batch)
    WHERE w.seq <= $seq
      -- One written without events counts from the next event on, as for every reader.
      AND w.batch <= (SELECT coalesce(min(batch), 0) FROM batches WHERE last_seq >= $seq)
)
WHERE (n - 1) % greatest(1, ceil(marks / $most)::BIGINT) = 0
ORDER BY batch, source;

-- name: create_events_of_journal
CREATE OR REPLACE TEMP VIEW trace_events AS
SELECT e.* EXCLUDE (key_hash), b.tier
FROM events e JOIN batches b USING (batch)
WHERE e.seq <= getvariable('as_of_seq');

-- name: create_events_of_trace
CREATE OR REPLACE TEMP VIEW trace_events AS SELECT * FROM read_parquet(getvariable('trace'));

-- name: select_slice
-- Events of the jobs in the variable trace_jobs (all if it is NULL), of their customers, and those
-- of no job that tell about the record itself. `grp` brings together what may quote one another: one
-- customer's rows and those of its jobs.
WITH job_customers AS (
    SELECT job_id, max_by(payload->>'$.customer_id', seq) AS customer
    FROM trace_events WHERE kind = 'jobs' AND job_id IS NOT NULL GROUP BY job_id
), aliases AS (
    -- A job refers to customers.customer_id in one schema and to customers.id in others.
    SELECT name, min(customer) AS customer
    FROM (
        SELECT unnest([payload->>'$.id', payload->>'$.customer_id']) AS name,
               coalesce(payload->>'$.customer_id', payload->>'$.id') AS customer
        FROM trace_events WHERE kind = 'customers'
    )
    WHERE name IS NOT NULL GROUP BY name
), job_groups AS (
    SELECT j.job_id, coalesce(a.customer, j.customer, j.job_id) AS grp
    FROM job_customers j LEFT JOIN aliases a ON a.name = j.customer
), chosen AS (
    SELECT unnest(getvariable('trace_jobs')::VARCHAR[]) AS job_id
), chosen_groups AS (
    SELECT coalesce(g.grp, c.job_id) AS grp FROM chosen c LEFT JOIN job_groups g USING (job_id)
), named AS NOT MATERIALIZED (
    -- Or every payload would be held in memory.
    SELECT *, CASE WHEN job_id IS NULL AND kind IN ('customers', 'jobs', 'directory_submissions',
                                                    'job_results', 'queue_history', 'row.deleted')
                   THEN coalesce(payload->>'$.customer_id', payload->>'$.customer_job_id',
                                 payload->>'$.id', '')
              END AS customer
    FROM trace_events
)
SELECT e.seq, e.recorded_at, e.occurred_at, e.source, e.kind, e.key, e.job_id, e.directory,
       e.payload::VARCHAR AS payload, e.batch, e.tier,
       coalesce(g.grp, a.customer, e.customer, e.job_id) AS grp
FROM named e
LEFT JOIN job_groups g USING (job_id)
LEFT JOIN aliases a ON a.name = e.customer
WHERE getvariable('trace_jobs') IS NULL
   OR e.job_id IN (SELECT job_id FROM chosen)
   OR (e.job_id IS NULL
       AND (e.customer IS NULL OR coalesce(a.customer, e.customer) IN (SELECT grp FROM chosen_groups)));

-- name: select_by_group
SELECT grp, seq, kind, key, job_id, directory, payload
FROM read_parquet($staged) ORDER BY grp NULLS LAST, seq;

-- name: select_public_hosts
-- Directories that more than one customer uses.
SELECT regexp_replace(lower(directory), '^www\.', '') AS host
FROM read_parquet($staged) WHERE directory IS NOT NULL
GROUP BY host HAVING count(DISTINCT grp) > 1;

-- name: create_raw
CREATE OR REPLACE TEMP VIEW traced AS
SELECT * EXCLUDE (grp) FROM read_parquet(getvariable('staged')) ORDER BY seq;

-- name: create_redacted
CREATE OR REPLACE TEMP VIEW traced AS
SELECT s.seq, s.recorded_at, s.occurred_at, s.source, s.kind, r.key, r.job_id, r.directory,
       r.payload, s.batch, s.tier
FROM read_parquet(getvariable('staged')) s JOIN read_parquet(getvariable('redacted')) r USING (seq)
ORDER BY s.seq;

-- name: count_traced
SELECT count(*) AS events, count(DISTINCT job_id) AS jobs, min(recorded_at), max(recorded_at),
       min(occurred_at), max(occurred_at)
FROM traced;

-- name: count_traced_by_kind
SELECT kind, count(*) AS events FROM traced GROUP BY kind ORDER BY kind;

-- name: select_traced
SELECT *, sha256(concat_ws(chr(31), seq, epoch_us(recorded_at), epoch_us(occurred_at), source, kind,
                           key, coalesce(job_id, chr(30)), coalesce(directory, chr(30)), payload,
                           batch, tier)) AS row_hash
FROM traced;

-- name: create_traced_of_file
CREATE OR REPLACE TEMP VIEW traced AS SELECT * FROM read_parquet(getvariable('trace'));

-- name: create_fresh
-- Events that the journal does not have, numbered in the order in which they were recorded.
CREATE OR REPLACE TEMP TABLE fresh AS
SELECT * EXCLUDE (n), row_number() OVER (ORDER BY seq) AS offset_
FROM (
    SELECT *, md5_number_upper(key) AS key_hash,
           row_number() OVER (PARTITION BY key ORDER BY seq) AS n
    FROM read_parquet(getvariable('trace'))
    WHERE key NOT IN (
        SELECT key FROM events WHERE key_hash IN (
            SELECT md5_number_upper(key) FROM read_parquet(getvariable('trace'))))
)
WHERE n = 1;

-- name: create_advancing_marks
-- A source's completeness is never set back: of two traces the later one says how far it goes.
CREATE OR REPLACE TEMP TABLE incoming_marks AS
SELECT m.* FROM marks m
WHERE m.complete_until > coalesce(
    (SELECT max(w.complete_until) FROM watermarks w WHERE w.source = m.source), '-infinity');

-- name: create_new_batches
-- One batch for each of the trace that brings something, at the time it was recorded, but never
-- before what the journal already holds. In: incoming_marks.
CREATE OR REPLACE TEMP TABLE new_batches AS
WITH told AS (
    SELECT batch AS old, max(recorded_at) AS recorded_at, max(tier) AS tier, count(*) AS events
    FROM fresh GROUP BY batch
    UNION ALL
    SELECT batch, max(recorded_at), max(tier), 0 FROM incoming_marks GROUP BY batch
), gathered AS (
    SELECT old, max(recorded_at) AS recorded_at, max(tier) AS tier, sum(events)::BIGINT AS events
    FROM told GROUP BY old
)
SELECT old, tier, events,
       $batch + row_number() OVER w AS batch,
       greatest(max(recorded_at) OVER w, $recorded_at::TIMESTAMPTZ) AS recorded_at,
       $head + sum(events) OVER w AS last_seq
FROM gathered
WINDOW w AS (ORDER BY old ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);

-- name: insert_events
INSERT INTO events BY NAME
SELECT $head + offset_ AS seq, b.recorded_at, f.occurred_at, f.source, f.kind, f.key, f.job_id,
       f.directory, f.payload::JSON AS payload, b.batch, f.key_hash
FROM fresh f JOIN new_batches b ON b.old = f.batch
ORDER BY offset_;

-- name: insert_batches
INSERT INTO batches BY NAME
SELECT b.batch, b.recorded_at, b.tier,
       CASE WHEN b.events > 0 THEN b.last_seq - b.events + 1 END AS first_seq,
       b.last_seq, b.events, h.hash
FROM new_batches b JOIN new_hashes h USING (batch)
ORDER BY b.batch;

-- name: insert_watermarks
INSERT INTO watermarks BY NAME
SELECT m.source, '{}'::JSON AS position, m.complete_until, b.batch, b.last_seq AS seq
FROM incoming_marks m JOIN new_batches b ON b.old = m.batch
ORDER BY b.batch, m.source;
