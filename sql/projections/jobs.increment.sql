-- Continues the open versions that the new facts touch; closed versions are never read.
-- name: create_facts
CREATE OR REPLACE TEMP TABLE folding AS
SELECT *, false AS is_base FROM job_facts
UNION ALL BY NAME
SELECT j.* EXCLUDE (from_seq, to_seq), j.from_seq AS seq, true AS is_base
FROM jobs j
WHERE j.to_seq IS NULL AND j.job_id IN (SELECT job_id FROM job_facts);

-- name: create_versions
CREATE OR REPLACE TEMP TABLE versions AS SELECT * FROM fold_jobs('folding');

-- name: close
UPDATE jobs j SET to_seq = v.to_seq
FROM versions v
WHERE v.is_base AND j.to_seq IS NULL AND j.job_id = v.job_id;

-- name: insert
INSERT INTO jobs SELECT * EXCLUDE (is_base) FROM versions WHERE NOT is_base;
