-- title: Skipped as a duplicate of nothing recorded
-- severity: info
-- why: The candidate skipped this submission as already done, which counts as submitted; but the
--   record holds no submission of it by the candidate. It was done before the recording began, or
--   by another writer, or never.
-- mend: Look for the row that the idempotency check found. If there is none, or it never reached
--   the site, the listing is missing.
-- scope: job
-- reads: submissions_now where side = 'candidate' and outcome = 'skipped' and finals = 0
SELECT mode, job_id, directory,
       'skipped_duplicate ' || strftime(finished_at, '%H:%M:%S') || ' UTC, never submitted before'
           AS detail,
       from_seq AS seq
FROM submissions_now
WHERE side = 'candidate' AND mode = 'live' AND outcome = 'skipped' AND finals = 0
ORDER BY mode, job_id, directory, detail, seq;
