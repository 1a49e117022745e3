-- title: Claimed failed, yet received
-- severity: warning
-- why: In the sandbox the worker reported a failure for a listing that the site had accepted. A
--   retry would submit it twice.
-- mend: Let the worker recognise how this kind of site confirms a listing.
-- scope: job
-- reads: submissions_now where side = 'observed' and outcome = 'submitted'
SELECT c.mode, c.job_id, c.directory,
       'claimed ' || c.outcome || ', site accepted the listing' AS detail, c.from_seq AS seq
FROM submissions_now c
JOIN submissions_now o USING (mode, job_id, directory)
WHERE c.side = 'candidate' AND o.side = 'observed'
  AND c.outcome = 'failed' AND o.outcome = 'submitted'
ORDER BY c.mode, c.job_id, c.directory, detail, seq;
