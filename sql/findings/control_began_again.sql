-- title: The old poller did the same directory again
-- severity: warning
-- why: This row of the work list went back to "submitting" after it had been begun or ended. The old
--   poller has no guard against polling while a job still runs, so it works one job several times at
--   once, and the directory gets the same listing again. Its last word is what is compared.
-- mend: Poll less often than the longest job takes, or run one poller only, and look at the site for
--   the listing that is there twice.
-- scope: job
-- reads: submissions_now where side = 'control' and attempts > 1
SELECT mode, job_id, directory,
       'begun ' || attempts || ' times, ended ' || finals || ' time(s), now ' || raw_status AS detail,
       from_seq AS seq
FROM submissions_now
WHERE side = 'control' AND mode = 'live' AND attempts > 1
ORDER BY mode, job_id, directory, unit, detail, seq;
