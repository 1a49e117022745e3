-- name: delete
DELETE FROM submissions;

-- name: create_facts
CREATE OR REPLACE TEMP TABLE folding AS
SELECT *, false AS is_base, NULL::INTEGER AS base_attempts, NULL::INTEGER AS base_finals,
       NULL::TIMESTAMPTZ AS base_started_at
FROM submission_facts;

-- name: insert
INSERT INTO submissions
SELECT * EXCLUDE (is_base) FROM fold_submissions('folding');
