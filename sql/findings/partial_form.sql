-- title: Part of the form stayed empty
-- severity: warning
-- why: In the sandbox the site accepted a listing in which fields were empty that the plan fills. The
--   outcome agrees, and the customer has a listing without, say, a phone number.
-- mend: Let the worker check that a field holds what it typed before it sends the form.
-- scope: job
-- reads: submissions_now where side = 'observed' and outcome = 'submitted'
WITH planned AS (
    SELECT job_id, directory, unnest(json_keys(sent)) AS field, sent FROM submissions_now
    WHERE side = 'candidate' AND mode = 'live' AND json_type(sent) = 'OBJECT'
), received AS (
    SELECT mode, job_id, directory, sent, from_seq FROM submissions_now
    WHERE side = 'observed' AND outcome = 'submitted' AND json_type(sent) = 'OBJECT'
)
SELECT r.mode, r.job_id, r.directory,
       'empty: ' || string_agg(p.field, ', ' ORDER BY p.field) AS detail, max(r.from_seq) AS seq
FROM received r JOIN planned p USING (job_id, directory)
WHERE trim(coalesce(json_extract_string(p.sent, '/' || p.field), '')) <> ''
  AND trim(coalesce(json_extract_string(r.sent, '/' || p.field), '')) = ''
GROUP BY r.mode, r.job_id, r.directory
ORDER BY r.mode, r.job_id, r.directory, detail, seq;
