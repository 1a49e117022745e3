-- title: Submitted more than once
-- severity: critical
-- why: The candidate wrote "submitted" for this submission more than once: the directory received
--   the same listing again.
-- mend: Check the idempotency key: it must not change between attempts, and it must be checked
--   before the form is sent.
-- scope: job
-- reads: submissions_now where side = 'candidate' and finals > 1
SELECT mode, job_id, directory,
       'submitted ' || finals || ' times in ' || attempts || ' attempt(s)' AS detail,
       from_seq AS seq
FROM submissions_now
WHERE side = 'candidate' AND finals > 1
ORDER BY mode, job_id, directory, detail, seq;
