-- What the source has of the tables we know.

-- name: select_tables
SELECT
    c.relname AS name,
    c.oid::bigint AS oid,
    pg_relation_filenode(c.oid)::bigint AS filenode,
    c.relkind IN ('r', 'p') AS is_table,
    has_table_privilege(c.oid, 'SELECT') AS readable,
    row_security_active(c.oid) AS filtered,
    (SELECT array_agg(a.attname::text || ' ' || format_type(a.atttypid, a.atttypmod)
                      ORDER BY a.attnum)
     FROM pg_attribute AS a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
    (SELECT array_agg(a.attname::text ORDER BY k.position)
     FROM pg_index AS i
     CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, position)
     JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum
     WHERE i.indrelid = c.oid AND i.indisprimary) AS primary_key,
    (SELECT array_agg(DISTINCT a.attname::text)
     FROM pg_index AS i
     JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
     WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL) AS indexed
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s)
ORDER BY c.relname;

-- name: select_server
SELECT
    current_setting('server_version_num')::int AS version,
    current_database() AS database,
    (SELECT d.oid::bigint FROM pg_database AS d WHERE d.datname = current_database()) AS database_oid,
    has_function_privilege('pg_control_system()', 'EXECUTE') AS identifiable;

-- name: select_system
SELECT system_identifier::text AS system FROM pg_control_system();
