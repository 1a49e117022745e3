-- title: Several directories became one
-- severity: warning
-- why: The control has several rows whose addresses share a host; the candidate keys directories by
--   host alone and keeps one of them. The others are never submitted and no event says so.
-- mend: Key directories by their whole address, or split such a job before it is enqueued.
-- scope: job
-- reads: submissions_now
SELECT 'live' AS mode, job_id, directory,
       count(*) || ' control rows: ' || string_agg(url, ', ' ORDER BY url) AS detail,
       max(from_seq) AS seq
FROM submissions_now
WHERE side = 'control' AND mode = 'live'
GROUP BY job_id, directory
HAVING count(*) > 1
ORDER BY job_id, directory;
