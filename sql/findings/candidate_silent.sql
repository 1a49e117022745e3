-- title: The candidate wrote nothing for several jobs in a row
-- severity: critical
-- why: Three or more jobs, one after another, passed their deadline without one row of the candidate.
--   That is no lost message. Either nothing takes messages from the queue any more, or something
--   takes and deletes them and cannot write to the database; then nothing will retry the jobs.
-- mend: Look at the subscriber's log. Where the queue was empty meanwhile, its messages are gone:
--   mend the client that cannot write, then re-queue every job named here.
-- scope: order
-- reads: jobs_now where claimed_at is null and triggered_at is null and flow_started_at is null
--   and candidate_finished_at is null
--   and created_at <= $until - to_seconds($deadline_s / $time_scale);
--   submissions_now sqs.sample where false
WITH heard AS (
    SELECT job_id, created_at, from_seq,
           claimed_at IS NULL AND triggered_at IS NULL AND flow_started_at IS NULL
               AND candidate_finished_at IS NULL
               AND epoch($until - created_at) * $time_scale > $deadline_s
               AND NOT EXISTS (
                     SELECT 1 FROM submissions_now s
                     WHERE s.job_id = j.job_id AND s.side = 'candidate' AND s.mode = 'live'
                       AND s.raw_status IS NOT NULL)
               AND NOT EXISTS (
                     SELECT 1 FROM blind
                     WHERE coalesce(to_at > created_at, true)
                       AND coalesce(epoch(from_at - created_at) * $time_scale <= $deadline_s, true))
               AS silent
    FROM jobs_now j
    WHERE created_at IS NOT NULL
), runs AS (
    -- Silent jobs in a row have the same number of others before them.
    SELECT *, sum((NOT silent)::INT) OVER (ORDER BY created_at, job_id) AS run
    FROM heard
), streaks AS (
    SELECT run, count(*) AS jobs, min(created_at) AS first_at, max(created_at) AS last_at
    FROM runs WHERE silent GROUP BY run HAVING count(*) >= 3
), waiting AS (
    SELECT seq, occurred_at, (payload->>'$.queue_depth')::INT AS depth FROM events_now
    WHERE kind = 'sqs.sample'
)
SELECT 'live' AS mode, job_id, NULL AS directory,
       'one of ' || jobs || ' in a row, created ' || strftime(first_at, '%H:%M:%S') || ' to '
           || strftime(last_at, '%H:%M:%S') || ' UTC; the queue '
           || CASE (SELECT max(depth) FROM (SELECT depth FROM waiting WHERE occurred_at > last_at
                                            ORDER BY occurred_at DESC, seq DESC
                                            LIMIT 1))
              WHEN 0 THEN 'is empty since' ELSE 'was not seen empty since' END AS detail,
       from_seq AS seq
FROM runs JOIN streaks USING (run)
WHERE silent
ORDER BY created_at, job_id, directory, detail, seq;
