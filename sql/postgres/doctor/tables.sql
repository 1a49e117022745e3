-- What the doctor asks about the tables beside what the recorder itself asks. Only reads.

-- name: select_sizes
-- Rows by the planner's estimate, -1 where the table was never analysed; bytes on disk.
SELECT
    c.relname::text AS name,
    c.relkind::text AS kind,
    (SELECT sum(p.reltuples)::bigint FROM pg_class AS p
     WHERE p.oid = c.oid AND c.relkind <> 'p'
        OR c.relkind = 'p' AND p.oid IN (SELECT t.relid FROM pg_partition_tree(c.oid) AS t
                                         WHERE t.isleaf)) AS rows,
    CASE WHEN c.relkind = 'p'
         THEN (SELECT sum(pg_table_size(t.relid)) FROM pg_partition_tree(c.oid) AS t WHERE t.isleaf)
         ELSE pg_table_size(c.oid) END::bigint AS bytes
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p');

-- name: select_schemas
-- Schemas that hold tables of these names, the fullest first.
SELECT n.nspname::text AS name, count(*) AS tables
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname = ANY(%(names)s) AND c.relkind IN ('r', 'p')
GROUP BY n.nspname
ORDER BY count(*) DESC, n.nspname;

-- name: count_changed
-- What a sweep with nothing to do costs: one scan.
SELECT count(*) AS rows FROM {table} AS t WHERE age(t.xmin) BETWEEN 0 AND 0;

-- name: select_newest
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t) AS row FROM {table} AS t
ORDER BY t.{created} DESC NULLS LAST LIMIT 3;

-- name: select_any
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t) AS row FROM {table} AS t LIMIT 3;

-- name: select_of_jobs
-- Rows of the jobs just read; the cast keeps an index on the column usable.
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t) AS row FROM {table} AS t
WHERE t.{column} = ANY(%(jobs)s::text[]::{type}[]) LIMIT 300;
