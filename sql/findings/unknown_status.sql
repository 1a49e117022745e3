-- title: A status word that no mapping knows
-- severity: warning
-- why: A row carries a status that the mapping of its source does not list. Its submission cannot
--   be compared until the word is mapped.
-- mend: Add the word to the mapping of this source, or to the rule that maps status words.
SELECT mode, job_id, directory, side || ' says ' || raw_status AS detail, from_seq AS seq
FROM submissions_now
WHERE outcome = 'unknown'
ORDER BY mode, job_id, directory;
