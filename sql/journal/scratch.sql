-- A scratch journal of copied jobs, each with one planted fault. Nothing here writes to the recorded
-- journal.

-- name: select_copies
-- Every event of each mutant's job, or of one of its directories and of the job as a whole. A mutant
-- of no job gets one empty event. In: $mutants, $kinds, $jobs, $places, lists of the same length.
WITH wanted AS (
    SELECT unnest($mutants::BIGINT[]) AS mutant, unnest($kinds::VARCHAR[]) AS planted,
           unnest($jobs::VARCHAR[]) AS job_id, unnest($places::VARCHAR[]) AS place
)
SELECT w.mutant, w.planted, e.seq::DOUBLE AS seq, e.occurred_at, e.source, e.kind,
       e.key || chr(31) || w.mutant AS key, e.job_id || chr(31) || w.mutant AS job_id,
       e.directory, e.payload::VARCHAR AS payload
FROM wanted w JOIN events_now e ON e.job_id = w.job_id
 AND (w.place IS NULL OR e.directory IS NULL OR host_of(e.directory) = w.place)
UNION ALL
SELECT mutant, planted, 1e15, now(), 'recorder', 'nothing', 'nothing' || chr(31) || mutant, NULL,
       NULL, '{}'
FROM wanted WHERE job_id IS NULL
ORDER BY mutant, seq;

-- name: select_looks
-- What tells whether the candidate could be observed at all.
SELECT 0::BIGINT AS mutant, NULL::VARCHAR AS planted, seq::DOUBLE AS seq, occurred_at, source, kind,
       key, job_id, directory, payload::VARCHAR AS payload
FROM events_now
WHERE job_id IS NULL AND kind IN ('record.started', 'schema.drift');

-- name: create_copies
CREATE OR REPLACE TEMP VIEW copies AS
SELECT * EXCLUDE (planted) REPLACE (payload::JSON AS payload) FROM all_copies
WHERE planted = getvariable('planted');

-- name: create_planted
CREATE OR REPLACE TEMP TABLE planted AS
SELECT * EXCLUDE (planted) REPLACE (payload::JSON AS payload) FROM all_copies
WHERE planted IS NULL;

-- name: select_changed
-- Mutants whose fault changed anything. A fault of rows that name no job has none to change.
SELECT DISTINCT mutant FROM (
    (SELECT mutant, seq, occurred_at, kind, key, payload::VARCHAR FROM planted
     EXCEPT SELECT mutant, seq, occurred_at, kind, key, payload FROM all_copies)
    UNION ALL
    (SELECT mutant, seq, occurred_at, kind, key, payload FROM all_copies
     EXCEPT SELECT mutant, seq, occurred_at, kind, key, payload::VARCHAR FROM planted)
);

-- name: create_drafts
-- An event that comes again counts where it came first.
CREATE OR REPLACE TEMP TABLE drafts AS
SELECT row_number() OVER (ORDER BY seq, mutant, key) - 1 AS ordinal, occurred_at, source, kind, key,
       job_id, directory, payload::VARCHAR AS payload, md5_number_upper(key) AS key_hash
FROM (
    SELECT * FROM planted
    QUALIFY row_number() OVER (PARTITION BY key ORDER BY seq) = 1
);

-- name: create_again
-- The events that come again, as a batch of their own.
CREATE OR REPLACE TEMP TABLE drafts AS
SELECT row_number() OVER (ORDER BY seq, mutant, key) - 1 AS ordinal, occurred_at, source, kind, key,
       job_id, directory, payload::VARCHAR AS payload, md5_number_upper(key) AS key_hash
FROM (
    SELECT * FROM planted
    QUALIFY row_number() OVER (PARTITION BY key ORDER BY seq) = 2
);

-- name: count_events_by_job
-- How many events a copy of each job has. Cost: one scan of the events.
SELECT job_id, count(*) AS events FROM events_now WHERE job_id IS NOT NULL GROUP BY job_id;
