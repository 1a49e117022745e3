-- What a replayed stack's tables say of one job with one directory, by the mapping of production's.
-- name: select_told
-- In: $job_id, $directory. Out: one row.
SELECT
    s.outcome, s.raw_status, s.error_text, s.duration_ms, s.listing_url,
    j.claimed_at IS NOT NULL OR j.triggered_at IS NOT NULL OR j.flow_started_at IS NOT NULL
        OR s.outcome IS NOT NULL AS taken,
    j.candidate_finished_at IS NOT NULL AS ended,
    j.candidate_status AS job_status
FROM (SELECT $job_id::VARCHAR AS job_id) AS asked
LEFT JOIN jobs_now AS j USING (job_id)
LEFT JOIN submissions_now AS s
    ON s.job_id = asked.job_id AND s.mode = 'live' AND s.side = 'candidate'
       AND s.directory = host_of($directory);
