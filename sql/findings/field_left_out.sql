-- title: A field was left out at one directory
-- severity: warning
-- why: The candidate fills this field at every other directory of the job (four or more) and left it
--   out here. A field that only one side sends is not compared, because the two systems fill
--   different forms; so nothing else would show it.
-- mend: Look at the plan of this submission: which step is missing, and whether the form has the
--   field at all.
-- scope: job
-- reads: submissions_now where side = 'candidate' and sent <> '{}'
WITH planned AS (
    SELECT job_id, directory, sent, from_seq, count(*) OVER (PARTITION BY job_id) AS plans
    FROM submissions_now
    WHERE side = 'candidate' AND mode = 'live' AND json_type(sent) = 'OBJECT' AND sent <> '{}'
), habits AS (
    SELECT job_id, field FROM (
        SELECT job_id, plans, unnest(json_keys(sent)) AS field FROM planned WHERE plans >= 5)
    GROUP BY job_id, field, plans
    HAVING count(*) = plans - 1
)
SELECT 'live' AS mode, job_id, directory,
       'without ' || string_agg(field, ', ' ORDER BY field) AS detail, max(from_seq) AS seq
FROM planned JOIN habits USING (job_id)
WHERE NOT list_contains(json_keys(sent), field)
GROUP BY job_id, directory
ORDER BY job_id, directory, detail, seq;
