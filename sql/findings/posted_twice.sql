-- title: One submission, several listings
-- severity: critical
-- why: In the sandbox the site accepted more than one listing from a single submission: the worker sent
--   the form again within it, for example because it did not recognise the confirmation.
-- mend: Send a form once, and decide what happened from the answer to it.
-- scope: job
-- reads: replay.submission where try_cast(payload->>'$.observed.accepted' as int) > 1
SELECT (payload->>'$.run') AS mode, job_id, host_of(directory) AS directory,
       (payload->>'$.observed.accepted') || ' listings accepted, ' || (payload->>'$.observed.posts')
           || ' forms received, claimed ' || (payload->>'$.claimed.status') AS detail,
       seq
FROM events_now
WHERE kind = 'replay.submission' AND TRY_CAST(payload->>'$.observed.accepted' AS INT) > 1
ORDER BY mode, job_id, directory, seq, detail;
