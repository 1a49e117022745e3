-- name: select_submissions
-- One row per side and submission as of the moment, with the values it sent or received as text.
-- The control's own row may carry no business data; then the job's business_data is what it sent.
SELECT
    s.mode, s.side, s.job_id, s.unit, s.directory, s.outcome, s.raw_status, s.error_class,
    s.error_text, s.attempts, s.finals, s.started_at, s.finished_at, s.duration_ms, s.url,
    s.listing_url, s.from_seq,
    coalesce((v->>'$.name'), (v->>'$.business_name'), (v->>'$.customer_name')) AS sent_name,
    coalesce((v->>'$.email'), (v->>'$.customer_email')) AS sent_email,
    (v->>'$.phone') AS sent_phone,
    (v->>'$.website') AS sent_website,
    (v->>'$.address') AS sent_address,
    (v->>'$.city') AS sent_city,
    (v->>'$.state') AS sent_state,
    (v->>'$.zip') AS sent_zip,
    (v->>'$.category') AS sent_category,
    (v->>'$.description') AS sent_description
FROM (
    SELECT n.*, CASE WHEN n.side = 'control' THEN coalesce(n.sent, j.business) ELSE n.sent END AS v
    FROM submissions_now n LEFT JOIN jobs_now j USING (job_id)
) s
ORDER BY s.mode, s.side, s.job_id, s.directory, s.unit;

-- name: select_jobs
-- One row per job as of the moment, in the control's order.
SELECT job_id, customer_id, package_size, priority, created_at, control_status,
       control_started_at, control_finished_at, control_error, claimed_at, triggered_at,
       flow_started_at, candidate_finished_at, candidate_status, from_seq
FROM jobs_now
WHERE created_at IS NOT NULL
ORDER BY created_at, job_id;
