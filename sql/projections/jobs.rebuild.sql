-- name: delete
DELETE FROM jobs;

-- name: create_facts
CREATE OR REPLACE TEMP TABLE folding AS SELECT *, false AS is_base FROM job_facts;

-- name: insert
INSERT INTO jobs SELECT * EXCLUDE (is_base) FROM fold_jobs('folding');
