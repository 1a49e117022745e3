-- What the doctor asks about its own session and role. Every statement only reads.

-- name: select_session
-- The values in force inside the recorder's own snapshot, and the role's standing.
SELECT
    current_user::text AS role,
    current_database()::text AS database,
    current_setting('server_version_num')::int AS version,
    split_part(current_setting('server_version'), ' ', 1) AS version_text,
    pg_backend_pid() AS pid,
    pg_is_in_recovery() AS standby,
    inet_server_port() AS port,
    current_setting('transaction_read_only') AS read_only,
    current_setting('transaction_isolation') AS isolation,
    current_setting('statement_timeout') AS statement_timeout,
    current_setting('lock_timeout') AS lock_timeout,
    current_setting('idle_in_transaction_session_timeout') AS idle_timeout,
    current_setting('row_security') AS row_security,
    current_setting('application_name') AS application_name,
    current_setting('default_transaction_read_only') AS reads_by_default,
    current_setting('wal_level') AS wal_level,
    current_setting('max_replication_slots')::int AS slots_allowed,
    r.rolsuper AS superuser,
    -- Amazon's servers give slots to the members of a role in place of the attribute.
    r.rolreplication OR coalesce((
        SELECT pg_has_role(current_user, a.oid, 'MEMBER')
        FROM pg_roles AS a WHERE a.rolname = 'rds_replication'), false) AS replication,
    r.rolconnlimit AS connection_limit,
    (SELECT count(*) FROM pg_stat_activity AS a WHERE a.usename = current_user) AS sessions
FROM pg_roles AS r
WHERE r.rolname = current_user;

-- name: select_role
SELECT rolname::text AS role FROM pg_roles WHERE rolname = %(role)s;

-- name: select_pid
SELECT pg_backend_pid() AS pid;

-- name: select_clock
SELECT clock_timestamp() AS at;

-- name: select_prepared
-- Transactions of this database that are prepared and not yet ended.
SELECT gid::text AS gid, owner::text AS owner, prepared
FROM pg_prepared_xacts
WHERE database = current_database()
ORDER BY prepared;

-- name: select_untracked
-- Whose sessions hide their transactions from everybody.
SELECT DISTINCT usename::text AS role
FROM pg_stat_activity
WHERE datname = current_database() AND state = 'disabled' AND usename IS NOT NULL
ORDER BY 1;

-- name: select_schema
-- One row if the schema exists.
SELECT has_schema_privilege(n.oid, 'USAGE') AS usable
FROM pg_namespace AS n
WHERE n.nspname = %(schema)s;

-- name: select_writable
-- Tables of ours that this role may change, which the recorder never does.
SELECT c.relname::text AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s)
  AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
ORDER BY c.relname;

-- name: select_databases
-- Databases of this server that the role may enter, but for one.
SELECT d.datname::text AS name
FROM pg_database AS d
WHERE d.datallowconn AND NOT d.datistemplate
  AND d.datname <> %(but)s
  AND has_database_privilege(d.oid, 'CONNECT')
ORDER BY d.datname
LIMIT 8;

-- name: select_slot
SELECT
    s.plugin::text AS plugin,
    s.database::text AS database,
    s.active,
    CASE WHEN pg_is_in_recovery() THEN NULL
         ELSE pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) / 1e6 END AS kept_mb,
    s.wal_status::text AS wal_status
FROM pg_replication_slots AS s
WHERE s.slot_name = %(slot)s;

-- name: select_slots_used
SELECT count(*) AS used FROM pg_replication_slots;

-- name: select_published
-- Which tables of ours the publication carries; no row without such a publication.
SELECT
    p.puballtables AS everything,
    p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS every_change,
    ARRAY(
        SELECT t.tablename::text FROM pg_publication_tables AS t
        WHERE t.pubname = p.pubname AND t.schemaname = %(schema)s AND t.tablename = ANY(%(names)s)
    ) AS tables
FROM pg_publication AS p
WHERE p.pubname = %(publication)s;

-- name: select_present
SELECT c.relname::text AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p')
ORDER BY c.relname;

-- name: select_unidentified
-- Tables of ours whose updates PostgreSQL would refuse once they are published.
SELECT c.relname::text AS name
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p')
  AND (c.relreplident = 'n'
       OR c.relreplident = 'd' AND NOT EXISTS (
            SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary))
ORDER BY c.relname;
