-- The role that the recorder connects as: it can read and nothing else.
-- pg_read_all_stats shows it other sessions' xact_start, without which its fast tier cannot
-- prove that nothing older is still uncommitted.

-- Roles belong to the cluster, so a second database of the same cluster finds it there.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shadow_recorder') THEN
        CREATE ROLE shadow_recorder LOGIN CONNECTION LIMIT 8;
    END IF;
END;
$$;

ALTER ROLE shadow_recorder SET default_transaction_read_only = on;
GRANT pg_read_all_stats TO shadow_recorder;
GRANT USAGE ON SCHEMA public TO shadow_recorder;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO shadow_recorder;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO shadow_recorder;
