-- title: A gap in the record
-- severity: warning
-- why: For a while a source could not be recorded. What happened there meanwhile is recovered only
--   if the source still holds it; gates treat it as missing evidence.
-- mend: See the reason, and let a sweep finish; a gap that a later sweep covers is no loss.
-- scope: journal
-- reads: record.gap
SELECT 'live' AS mode, job_id, directory,
       concat_ws(' ', (payload->>'$.what'), (payload->>'$.why'), (payload->>'$.from'), 'to',
                 (payload->>'$.until')) AS detail,
       seq
FROM events_now
WHERE kind = 'record.gap'
ORDER BY seq, job_id, directory, detail;
