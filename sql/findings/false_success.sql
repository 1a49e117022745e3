-- title: Claimed submitted, never received
-- severity: critical
-- why: In the sandbox the worker reported "submitted" for a listing that the site never accepted.
--   Its judge of success can be fooled by the words on a page.
-- mend: Judge success by what the site confirms for this listing, not by words that occur anywhere
--   in its HTML.
-- scope: job
-- reads: submissions_now where side = 'observed' and outcome <> 'submitted'
SELECT c.mode, c.job_id, c.directory,
       'claimed ' || c.outcome || ', site saw: ' || o.raw_status AS detail, c.from_seq AS seq
FROM submissions_now c
JOIN submissions_now o USING (mode, job_id, directory)
WHERE c.side = 'candidate' AND o.side = 'observed'
  AND c.outcome = 'submitted' AND o.outcome <> 'submitted'
ORDER BY c.mode, c.job_id, c.directory, detail, seq;
