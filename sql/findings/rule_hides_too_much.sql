-- title: A rule hides more than it is declared to
-- severity: warning
-- why: Each rule may declare how many pairs it is meant to hide. More than that means that the
--   systems have changed or that the rule is wider than its reason.
-- mend: Look at what it hides with "shadow rules test", narrow its scope, or declare a new limit
--   with a reason that holds for all of them.
-- scope: rules
-- reads: rules
SELECT 'live' AS mode, NULL::VARCHAR AS job_id, NULL::VARCHAR AS directory, detail,
       NULL::BIGINT AS seq
FROM (SELECT unnest($overstepping_rules::VARCHAR[]) AS detail)
ORDER BY detail, job_id, directory, seq;
