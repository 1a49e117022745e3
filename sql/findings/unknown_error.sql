-- title: An error that no class describes
-- severity: info
-- why: The text of this failure matches no error class, so it is compared as "unknown".
-- mend: Add a class for it if it comes often.
-- scope: job
-- reads: submissions_now where error_class = 'unknown'
SELECT mode, job_id, directory, side || ': ' || left(error_text, 120) AS detail, from_seq AS seq
FROM submissions_now
WHERE error_class = 'unknown'
ORDER BY mode, job_id, directory, detail, seq;
