-- title: A field that is always sent was left out
-- severity: warning
-- why: The candidate fills this field in almost every submission (95 % of 20 or more) and left it out
--   here. A field that only one side sends is not compared, because the two systems fill different
--   forms; so nothing else would show it.
-- mend: Look at the plan of this submission: which step is missing, and whether the business has the
--   value at all.
WITH planned AS (
    SELECT job_id, directory, sent, from_seq FROM submissions_now
    WHERE side = 'candidate' AND mode = 'live' AND json_type(sent) = 'OBJECT' AND sent <> '{}'
), habits AS (
    SELECT field FROM (SELECT unnest(json_keys(sent)) AS field FROM planned)
    GROUP BY field
    HAVING count(*) >= 20 AND count(*) >= 0.95 * (SELECT count(*) FROM planned)
)
SELECT 'live' AS mode, job_id, directory,
       'without ' || string_agg(field, ', ' ORDER BY field) AS detail, max(from_seq) AS seq
FROM planned, habits
WHERE NOT list_contains(json_keys(sent), field)
GROUP BY job_id, directory
ORDER BY job_id, directory;
