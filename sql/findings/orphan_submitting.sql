-- title: Submission begun and never ended
-- severity: critical
-- why: The candidate wrote "submitting" for this directory and no outcome ever followed. Whether
--   the site got the listing is unknown; a retry may submit it twice.
-- mend: Check the site for the listing before re-queueing, and make the worker write an outcome on
--   every path out.
-- scope: job
-- reads: submissions_now where side = 'candidate' and outcome = 'in_flight'
--     and started_at <= $until - to_seconds($deadline_s / $time_scale)
SELECT mode, job_id, directory,
       'submitting since ' || strftime(started_at, '%H:%M:%S') || ' UTC, ' || attempts
           || ' attempt(s)' AS detail,
       from_seq AS seq
FROM submissions_now
WHERE side = 'candidate' AND outcome = 'in_flight' AND started_at IS NOT NULL
  AND epoch($until - started_at) * $time_scale > $deadline_s
  AND NOT EXISTS (
        SELECT 1 FROM blind
        WHERE coalesce(to_at > started_at, true)
          AND coalesce(epoch(from_at - started_at) * $time_scale <= $deadline_s, true))
ORDER BY started_at, job_id, directory, mode, detail, seq;
