-- The role that the recorder connects as: it reads the shared tables and nothing else.
--
--   psql "$OWNER_DSN" -f docs/recorder-role.sql
--   psql "$OWNER_DSN" -v role=shadow_recorder -v schema=public -f docs/recorder-role.sql
--
-- Run it as the owner of the tables, who must be allowed to make roles. Running it again changes
-- nothing and takes in tables that were made since. Afterwards give the role a password, which
-- psql asks for and does not log:  \password shadow_recorder
-- How to take everything back stands in recording.md.

\set ON_ERROR_STOP on
\if :{?role}
\else
    \set role shadow_recorder
\endif
\if :{?schema}
\else
    \set schema public
\endif

BEGIN;

-- The blocks below are strings to psql, so they read the two names from here.
SELECT set_config('shadow.role', :'role', true), set_config('shadow.schema', :'schema', true)
\g /dev/null

SELECT format('CREATE ROLE %I LOGIN CONNECTION LIMIT 8', :'role')
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'role')
\gexec

-- A second lock on a door that has no key: the role owns nothing and is granted no write.
ALTER ROLE :"role" SET default_transaction_read_only = on;

GRANT USAGE ON SCHEMA :"schema" TO :"role";

-- The tables that the recorder knows, as far as they are there; none of the others.
SELECT format('GRANT SELECT ON %I.%I TO %I', n.nspname, c.relname, :'role')
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = :'schema' AND c.relkind IN ('r', 'p')
  AND c.relname IN ('customers', 'jobs', 'directory_submissions', 'job_results', 'queue_history',
                    'worker_heartbeats', 'worker_status')
\gexec

-- Without it the fast tier cannot see how old the oldest open transaction is; recording is then
-- complete by sweeps alone. Managed databases may reserve the right to give it.
DO $$
BEGIN
    EXECUTE format('GRANT pg_read_all_stats TO %I', current_setting('shadow.role'));
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'pg_read_all_stats was not granted: recording will be complete by sweeps only';
END;
$$;

-- Only where a table of ours is under row level security: the recorder refuses to read a table of
-- which it would not see every row.
DO $$
BEGIN
    IF EXISTS (
        SELECT FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = current_setting('shadow.schema') AND c.relrowsecurity
          AND has_table_privilege(current_setting('shadow.role'), c.oid, 'SELECT')
    ) THEN
        EXECUTE format('ALTER ROLE %I BYPASSRLS', current_setting('shadow.role'));
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'BYPASSRLS was not given: ask your provider, or the recorder will refuse to start';
END;
$$;

COMMIT;
