-- The list of jobs, page by page, and what is recorded of one.

-- name: select_page
-- In: $words (each must stand in the id or in a directory of the job), $directories, $package,
-- $priority, $old, $new (NULL: any), $limit, $offset. Out: jobs recorded, jobs found, and one row a
-- job of the page, the newest first; a single row without a job where the page is empty.
WITH wanted AS (
    SELECT DISTINCT unnest($words::VARCHAR[]) AS word, false AS only_directory
    UNION ALL
    SELECT DISTINCT unnest($directories::VARCHAR[]), true
), hits AS (
    SELECT job_id, word, only_directory FROM jobs_now, wanted
    WHERE NOT only_directory AND contains(lower(job_id), word)
    UNION
    SELECT job_id, word, only_directory FROM submissions_now, wanted
    WHERE contains(lower(directory), word)
), matching AS (
    SELECT job_id FROM hits GROUP BY job_id HAVING count(*) = (SELECT count(*) FROM wanted)
), found AS (
    SELECT job_id, created_at, package_size, priority, control_status, candidate_status
    FROM jobs_now
    WHERE created_at IS NOT NULL
      AND (len($words::VARCHAR[]) + len($directories::VARCHAR[]) = 0
           OR job_id IN (SELECT job_id FROM matching))
      AND ($package::INTEGER IS NULL OR package_size = $package::INTEGER)
      AND ($priority::INTEGER IS NULL OR priority = $priority::INTEGER)
      AND ($old::VARCHAR IS NULL OR lower(control_status) = $old::VARCHAR)
      AND ($new::VARCHAR IS NULL OR lower(candidate_status) = $new::VARCHAR)
), page AS (
    SELECT * FROM found ORDER BY created_at DESC, job_id LIMIT $limit OFFSET $offset
)
SELECT (SELECT count(*) FROM jobs_now WHERE created_at IS NOT NULL) AS jobs,
       (SELECT count(*) FROM found) AS found, page.*
FROM (SELECT 1) LEFT JOIN page ON true
ORDER BY created_at DESC, job_id;

-- name: select_job
-- In: $job_id.
SELECT job_id, created_at, package_size, priority, control_status, candidate_status
FROM jobs_now WHERE job_id = $job_id AND created_at IS NOT NULL;

-- name: select_events
-- In: $job_id, $most. The newest events of a job, and how many there are.
SELECT seq, occurred_at, source, kind, directory, payload, total
FROM (
    SELECT *, count(*) OVER () AS total FROM events_now WHERE job_id = $job_id
    ORDER BY seq DESC LIMIT $most
)
ORDER BY occurred_at, seq;
