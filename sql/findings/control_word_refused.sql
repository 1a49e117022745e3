-- title: The old poller cannot mark a job complete
-- severity: info
-- why: The jobs table refuses the word "completed", so the old poller leaves a finished job in
--   progress and marks it failed at its next poll. Job status is therefore recomputed from the
--   submissions.
-- mend: Nothing to do for the migration; do not read the control from jobs.status.
-- scope: job
-- reads: jobs_now where control_status = 'failed' and control_error like 'No pending submissions%'
SELECT 'live' AS mode, job_id, NULL AS directory,
       'status failed: ' || control_error AS detail, from_seq AS seq
FROM jobs_now j
-- An error text stays on a job that ends well after all; then nothing was refused.
WHERE control_status = 'failed' AND control_error LIKE 'No pending submissions%'
  AND NOT EXISTS (SELECT 1 FROM submissions_now s WHERE s.job_id = j.job_id
                  AND s.side = 'control' AND s.outcome <> 'submitted')
  AND EXISTS (SELECT 1 FROM submissions_now s WHERE s.job_id = j.job_id AND s.side = 'control')
ORDER BY job_id, directory, detail, seq;
