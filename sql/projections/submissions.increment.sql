-- Continues the open versions that the new facts touch; closed versions are never read.
-- name: create_facts
CREATE OR REPLACE TEMP TABLE folding AS
SELECT *, false AS is_base, NULL::INTEGER AS base_attempts, NULL::INTEGER AS base_finals,
       NULL::TIMESTAMPTZ AS base_started_at
FROM submission_facts
UNION ALL BY NAME
SELECT
    s.from_seq AS seq, s.mode, s.side, s.job_id, s.unit, s.directory,
    CASE WHEN s.raw_status IS NOT NULL THEN s.outcome END AS status,
    s.raw_status, s.error_text,
    false AS begins, false AS terminal, false AS counts_each,
    s.finished_at AS occurred_at, s.duration_ms, s.url, s.listing_url, s.sent,
    true AS is_base, s.attempts AS base_attempts, s.finals AS base_finals,
    s.started_at AS base_started_at
FROM submissions s
WHERE s.to_seq IS NULL
  AND (s.mode, s.side, s.job_id, s.unit) IN
      (SELECT (mode, side, job_id, unit) FROM submission_facts);

-- name: create_versions
CREATE OR REPLACE TEMP TABLE versions AS SELECT * FROM fold_submissions('folding');

-- name: close
UPDATE submissions s
SET to_seq = v.to_seq
FROM versions v
WHERE v.is_base AND s.to_seq IS NULL
  AND s.mode = v.mode AND s.side = v.side AND s.job_id = v.job_id AND s.unit = v.unit;

-- name: insert
INSERT INTO submissions SELECT * EXCLUDE (is_base) FROM versions WHERE NOT is_base;
