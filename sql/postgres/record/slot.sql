-- Logical decoding by SQL functions alone: no replication protocol, so a pooler may stand between.
-- All of these run in READ ONLY transactions; the slot's own functions write no row.
-- Values come in as literals. A position in the log is its distance from 0/0 in bytes.

-- name: select_ability
-- Amazon's servers give slots to the members of rds_replication in place of the attribute.
SELECT
    current_setting('wal_level') AS wal_level,
    pg_is_in_recovery() AS standby,
    (SELECT r.rolreplication OR r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user)
        OR coalesce((SELECT pg_has_role(current_user, r.oid, 'MEMBER')
                     FROM pg_roles AS r WHERE r.rolname = 'rds_replication'), false) AS may_decode,
    current_user::text AS role;

-- name: select_slot
-- One row, whether the slot exists or not. `at` is the transaction's start and the snapshot is
-- taken before this statement, so whatever had been committed by either stands in the log before
-- `inserted`.
SELECT
    now() AS at,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS xmax,
    (pg_current_wal_insert_lsn() - '0/0')::bigint AS inserted,
    (pg_current_wal_flush_lsn() - '0/0')::bigint AS flushed,
    pg_client_encoding()::text AS encoding,
    s.slot_name IS NOT NULL AS present,
    s.plugin::text AS plugin,
    s.database::text AS database,
    current_database()::text AS here,
    s.active_pid,
    s.wal_status,
    (s.confirmed_flush_lsn - '0/0')::bigint AS confirmed,
    coalesce((pg_current_wal_insert_lsn() - s.restart_lsn)::bigint, 0) AS retained
FROM (SELECT) AS always
LEFT JOIN pg_replication_slots AS s ON s.slot_name = {slot};

-- name: select_coverage
-- Whether decoding shows every change of a table, with a stamp for the extent of what it shows and
-- one for the files of the table: each differs as soon as that has been changed meanwhile. Rows and
-- columns of a publication exist since version 15, hence by name.
SELECT
    c.relname::text AS name,
    c.relkind = 'p' AS partitioned,
    c.relpersistence = 'p' AS logged,
    c.relreplident::text AS replica_identity,
    EXISTS (
        SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary
    ) AS has_primary_key,
    p.oid IS NOT NULL AS publication_present,
    p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS every_operation,
    p.pubviaroot AS by_root,
    p.puballtables OR r.oid IS NOT NULL AS published,
    coalesce(to_jsonb(r) ->> 'prqual', to_jsonb(r) ->> 'prattrs') IS NOT NULL AS partial,
    concat_ws('/', c.oid, c.relreplident, p.oid, p.xmin, r.oid, r.xmin) AS extent,
    concat_ws('/', c.oid, pg_relation_filenode(c.oid),
        (SELECT string_agg(concat(t.relid::oid, '=', pg_relation_filenode(t.relid)), '/'
                           ORDER BY t.relid::oid)
         FROM pg_partition_tree(c.oid) AS t)) AS storage
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_publication AS p ON p.pubname = {publication}
LEFT JOIN pg_publication_rel AS r ON r.prpubid = p.oid AND r.prrelid = c.oid
WHERE n.nspname = {schema} AND c.relname = ANY({names})
ORDER BY c.relname;

-- name: select_endangered
-- Tables, of whatever use, whose UPDATE and DELETE production refuses because this publication
-- publishes them and nothing identifies their rows.
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_publication AS p
JOIN pg_publication_tables AS t ON t.pubname = p.pubname
JOIN pg_namespace AS n ON n.nspname = t.schemaname
JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.tablename
WHERE p.pubname = {publication}
  AND (p.pubupdate OR p.pubdelete)
  AND (c.relreplident = 'n'
       OR c.relreplident = 'd' AND NOT EXISTS (
           SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary))
ORDER BY 1;

-- name: create_slot
SELECT pg_create_logical_replication_slot({slot}, {plugin});

-- name: drop_slot
SELECT pg_drop_replication_slot({slot});

-- name: peek_pgoutput
-- Whole transactions, at least one, until there are {limit} messages or the flushed log ends.
SELECT xid::text::bigint AS xid, (lsn - '0/0')::bigint AS lsn, data
FROM pg_logical_slot_peek_binary_changes({slot}, NULL, {limit},
    'proto_version', '1', 'publication_names', {publication});

-- name: peek_test_decoding
SELECT xid::text::bigint AS xid, (lsn - '0/0')::bigint AS lsn, data
FROM pg_logical_slot_peek_changes({slot}, NULL, {limit},
    'include-timestamp', 'on', 'skip-empty-xacts', 'on');

-- name: select_visible
-- The snapshot as text: which of the peeked transactions everybody sees by now.
SELECT pg_current_snapshot()::text AS snapshot;

-- name: advance_slot
SELECT pg_replication_slot_advance({slot}, {position}::pg_lsn);

-- name: select_type_names
SELECT a.type::bigint AS type, a.modifier, format_type(a.type, a.modifier) AS name
FROM unnest({types}::oid[], {modifiers}::int[]) AS a (type, modifier)
JOIN pg_type AS t ON t.oid = a.type;

-- name: select_as_json
-- Rows that came as text, the way to_jsonb would show them in their table.
SELECT to_jsonb(r)::text AS row
FROM unnest({arrays}) WITH ORDINALITY AS u ({names}, place)
CROSS JOIN LATERAL (SELECT {columns}) AS r
ORDER BY u.place;

-- name: select_current
-- The rows with these keys as they are now.
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t)::text AS row
FROM {table} AS t
JOIN unnest({arrays}) AS k ({names}) ON {same};

-- name: select_linked
-- Which of these customers a job refers to.
SELECT DISTINCT j.customer_id::text AS link FROM {jobs} AS j
WHERE j.customer_id = ANY({links}::{type}[]);
