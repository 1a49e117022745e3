-- title: Ended before it began
-- severity: warning
-- why: A duration is negative: a machine's clock is wrong, or a later run overwrote when the earlier
--   one had begun. It is left out of every latency, which then covers fewer jobs.
-- mend: Compare the clocks of database, poller and workers. Where one row is shared by both systems,
--   take its times from events that are never overwritten.
-- scope: job
-- reads: jobs_now where least(control_started_at, claimed_at, candidate_finished_at) < created_at
--     or control_finished_at < control_started_at or candidate_finished_at < claimed_at;
--   submissions_now where finished_at < started_at or duration_ms < 0
WITH spans AS (
    SELECT mode, job_id, directory, from_seq AS seq, 1 AS rank,
           side || ' begun' AS beginning, started_at AS begun_at,
           side || ' ended' AS ending, finished_at AS ended_at
    FROM submissions_now
    UNION ALL
    SELECT 'live', job_id, NULL, from_seq, 2, 'created', created_at,
           'claimed by the control', control_started_at FROM jobs_now
    UNION ALL
    SELECT 'live', job_id, NULL, from_seq, 3, 'claimed by the control', control_started_at,
           'finished by the control', control_finished_at FROM jobs_now
    UNION ALL
    SELECT 'live', job_id, NULL, from_seq, 4, 'created', created_at,
           'claimed by the candidate', claimed_at FROM jobs_now
    UNION ALL
    SELECT 'live', job_id, NULL, from_seq, 5, 'claimed by the candidate', claimed_at,
           'finished by the candidate', candidate_finished_at FROM jobs_now
    UNION ALL
    SELECT 'live', job_id, NULL, from_seq, 6, 'created', created_at,
           'finished by the candidate', candidate_finished_at FROM jobs_now
), skewed AS (
    SELECT mode, job_id, directory, seq, rank,
           ending || ' ' || strftime(ended_at, '%H:%M:%S.%g') || ' UTC, ' || beginning || ' '
               || strftime(begun_at, '%H:%M:%S.%g') || ' UTC' AS detail
    FROM spans
    WHERE ended_at < begun_at
    UNION ALL
    SELECT mode, job_id, directory, from_seq, 7, side || ' states ' || duration_ms || ' ms'
    FROM submissions_now
    WHERE duration_ms < 0
)
SELECT mode, job_id, directory, detail, seq
FROM skewed
ORDER BY mode, job_id, directory, rank, detail, seq;
