-- title: A status word that no mapping knows
-- severity: warning
-- why: A row carries a status that the mapping of its source does not list. Its submission cannot
--   be compared until the word is mapped.
-- mend: Add the word to the mapping of this source, in sql/sources.
-- scope: job
-- reads: jobs_now submissions_now queue_history
SELECT mode, job_id, directory, side || ' says ' || coalesce(raw_status, 'nothing') AS detail,
       from_seq AS seq
FROM submissions_now
WHERE outcome = 'unknown'
UNION ALL
SELECT 'live', job_id, NULL, 'jobs says ' || control_status, from_seq
FROM jobs_now
WHERE control_status NOT IN ('pending', 'queued', 'in_progress', 'processing', 'paused', 'complete',
                             'completed', 'failed', 'cancelled')
UNION ALL
SELECT 'live', job_id, directory, 'candidate says ' || (payload->>'$.event'), seq
FROM events_now
WHERE kind = 'queue_history' AND source = 'production'
  AND (payload->>'$.event') NOT IN (
      'queue_claimed', 'flow_triggered', 'flow_started', 'job_started', 'no_directories',
      'ai_prioritization', 'error_no_profile', 'ab_test_assigned', 'ai_content_customized',
      'ai_retry_recommended', 'skipped_duplicate', 'submitting', 'submitted', 'failed', 'error',
      'job_failed', 'job_finalized', 'flow_completed')
ORDER BY mode, job_id, directory, seq;
