-- title: A large package runs as a small one
-- severity: warning
-- why: The job has one of the two highest priorities, and its flow was told "starter": the number
--   that the queue carries is not among the words that the flow knows. The customer who paid most
--   waits longest, three times as long before each directory.
-- mend: Let the subscriber map the priority's number to its word, and refuse what it does not know.
-- scope: job
-- reads: queue_history where contains(payload, '"starter"')
SELECT 'live' AS mode, j.job_id, NULL AS directory,
       'priority ' || j.priority || ', package of ' || coalesce(j.package_size::VARCHAR, 'unknown size')
           || ', flow told ' || word AS detail,
       seq
FROM (
    SELECT job_id, (payload->>'$.details.priority') AS word, seq FROM events_now
    WHERE kind = 'queue_history' AND source = 'production'
      AND (payload->>'$.event') = 'flow_started'
) f JOIN jobs_now j USING (job_id)
WHERE j.priority IN (1, 2) AND word = 'starter'
ORDER BY seq, job_id, directory, detail;
