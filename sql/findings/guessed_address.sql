-- title: Failed at an address that nobody gave
-- severity: warning
-- why: The old poller submitted at the address that the work list names; the candidate opened another
--   path of the same host and found no form, no page or no answer there. A plan that guesses the
--   path from the host looks like this.
-- mend: Let the plan open the directory's own address.
-- scope: job
-- reads: submissions_now where side = 'candidate' and outcome = 'failed' and url is not null
WITH visited AS (
    SELECT job_id, directory, url, error_class, from_seq FROM submissions_now
    WHERE side = 'candidate' AND mode = 'live' AND outcome = 'failed' AND url IS NOT NULL
      AND error_class IN ('timeout', 'navigation', 'selector_missing')
), given AS (
    SELECT job_id, directory, min(url) AS url FROM submissions_now
    WHERE side = 'control' AND mode = 'live'
    GROUP BY job_id, directory
    HAVING bool_and(outcome = 'submitted')
)
SELECT 'live' AS mode, job_id, directory,
       error_class || ' at ' || path_of(v.url) || ', the work list says ' || path_of(g.url) AS detail,
       v.from_seq AS seq
FROM visited v JOIN given g USING (job_id, directory)
WHERE path_of(v.url) <> path_of(g.url)
ORDER BY job_id, directory, detail, seq;
