-- name: select_submissions
-- One row per side and submission as of the moment, in no order, with the values it sent or
-- received as text. The control's own row may carry no business data; then the job's is what it
-- sent.
SELECT * EXCLUDE (v), unnest(sent_of(v))
FROM (
    SELECT
        n.mode, n.side, n.job_id, n.unit, n.directory, n.outcome, n.raw_status, n.error_class,
        n.error_text, n.attempts, n.finals, n.started_at, n.finished_at, n.duration_ms, n.url,
        n.listing_url, n.from_seq,
        CASE WHEN n.side = 'control' THEN coalesce(n.sent, j.business) ELSE n.sent END AS v
    FROM submissions_now n LEFT JOIN jobs_now j USING (job_id)
);

-- name: select_documents
-- The same rows with the whole document of what was sent, since many submissions send the same, and
-- with the unit only of control rows that may share a place: nobody else is told apart by it.
WITH shared AS (
    SELECT hash(job_id, directory) AS place FROM submissions_now
    WHERE side = 'control' AND mode = 'live'
    GROUP BY place HAVING count(*) > 1
)
SELECT
    n.mode, n.side, n.job_id, CASE WHEN shared.place IS NOT NULL THEN n.unit END AS unit,
    n.directory, n.outcome, n.raw_status, n.error_class, n.error_text, n.attempts, n.started_at,
    n.finished_at, n.duration_ms, n.url, n.listing_url, n.from_seq,
    (CASE WHEN n.side = 'control' THEN coalesce(n.sent, j.business) ELSE n.sent END)::VARCHAR
    AS sent
FROM submissions_now n
LEFT JOIN jobs_now j USING (job_id)
LEFT JOIN shared
    ON shared.place = CASE WHEN n.side = 'control' THEN hash(n.job_id, n.directory) END;

-- name: select_sent
-- What the documents of the table `documents` say, in their order.
SELECT unnest(sent_of(sent::JSON)) FROM documents ORDER BY number;

-- name: select_jobs
-- One row per job as of the moment, in the control's order.
SELECT job_id, customer_id, package_size, priority, created_at, control_status,
       control_started_at, control_finished_at, control_error, claimed_at, triggered_at,
       flow_started_at, candidate_finished_at, candidate_status, from_seq
FROM jobs_now
WHERE created_at IS NOT NULL
ORDER BY created_at, job_id;
