-- title: A message was given up
-- severity: critical
-- why: A message lay in the dead-letter queue: the subscriber tried it too often and nobody will try
--   it again. Its job is lost to the candidate until somebody puts it back.
-- mend: Mend what the reason names, then put the message back into the jobs queue.
-- scope: journal
-- reads: sqs.dead_letter
SELECT 'live' AS mode, job_id, NULL AS directory,
       coalesce(payload->>'$.reason', 'no reason given') || ', sent '
           || coalesce(payload->>'$.sent_at', 'at an unknown time') || ', message '
           || (payload->>'$.message_id') AS detail,
       seq
FROM events_now
WHERE kind = 'sqs.dead_letter'
  AND (getvariable('since') IS NULL OR occurred_at >= getvariable('since'))
ORDER BY seq, job_id, directory, detail;
