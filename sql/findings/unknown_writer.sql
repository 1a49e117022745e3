-- title: Results of a writer that nobody knows
-- severity: warning
-- why: A row of job_results without an idempotency key is not the candidate's. The old API and
--   several old workers write such rows, one of which only pretends to submit, and no column says
--   which it was. The row is shown here and compared with nothing.
-- mend: Find out which program wrote it. If that is the one to be replaced, its rows have to be
--   mapped as the control's, in sql/sources; otherwise stop it for the shadow week.
-- scope: job
-- reads: submissions_now where side = 'other'
WITH control AS (
    SELECT job_id, directory, string_agg(DISTINCT raw_status, ' and ' ORDER BY raw_status) AS words
    FROM submissions_now
    WHERE side = 'control' AND mode = 'live'
    GROUP BY job_id, directory
)
SELECT 'live' AS mode, o.job_id, o.directory,
       'job_results says ' || coalesce(o.raw_status, 'nothing') || ', '
           || coalesce('the control ' || words, 'the control has no such row') AS detail,
       o.from_seq AS seq
FROM submissions_now o LEFT JOIN control USING (job_id, directory)
WHERE o.side = 'other'
ORDER BY o.job_id, o.directory, detail, seq;
