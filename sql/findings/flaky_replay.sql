-- title: Replayed twice, ended differently
-- severity: warning
-- why: The site behaved the same both times, and still the worker's claim or what the site stored
--   changed. Such a pair is set apart as flaky: its difference cannot be told from chance.
-- mend: Open both with shadow evidence and look for a race - a fixed pause, a page judged before it
--   had loaded. A site of your own that answers by chance shows here too.
-- scope: job
-- reads: replay.again
SELECT regexp_replace(source, '^replay:', '') AS mode, job_id, directory,
       'first ' || (payload->>'$.first.claimed')
           || CASE WHEN (payload->>'$.first.accepted')::INT > 0 THEN ' (stored)'
                   ELSE ' (not stored)' END
           || ', then ' || (payload->>'$.claimed.status')
           || CASE WHEN (payload->>'$.observed.accepted')::INT > 0 THEN ' (stored)'
                   ELSE ' (not stored)' END AS detail,
       seq
FROM events_now
WHERE kind = 'replay.again' AND (payload->>'$.flaky')::BOOLEAN
ORDER BY seq, mode, job_id, directory, detail;
