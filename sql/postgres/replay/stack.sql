-- What a replay asks and writes of the database that a stack under test works on. It never writes into
-- the database that a person names: each stack has a copy, which goes with it.

-- name: select_rights
-- Rights that lead out of the seal through the server, and the one that copies need.
-- A role that makes roles can give itself most of the others, before PostgreSQL 16.
SELECT
    bool_or(g.rolsuper OR g.rolcreaterole OR g.rolname IN (
        'pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files'
    )) AS too_many,
    bool_or(g.rolcreatedb AND g.rolname = current_user) AS creates
FROM pg_roles AS g WHERE pg_has_role(g.oid, 'MEMBER');

-- name: select_missing
-- Columns that the rows and the outcome need and that are not there.
SELECT w.name
FROM unnest(%(wanted)s::text[]) AS w(name)
WHERE NOT EXISTS (
    SELECT FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass(split_part(w.name, '.', 1))
      AND a.attname = split_part(w.name, '.', 2) AND a.attnum > 0 AND NOT a.attisdropped
);

-- name: count_jobs
SELECT count(*) FROM (SELECT FROM jobs LIMIT 1000) AS first_jobs;

-- name: select_copies
SELECT datname::text FROM pg_database WHERE datname LIKE %(prefix)s AND pg_has_role(datdba, 'USAGE');

-- name: create_copy
CREATE DATABASE {copy} TEMPLATE {of};

-- name: drop_copy
DROP DATABASE IF EXISTS {copy} WITH (FORCE);

-- name: drop_unused_copy
DROP DATABASE IF EXISTS {copy};

-- name: select_history
-- The order of one transaction's rows, which have one time, is the order in which they lie.
SELECT to_jsonb(t)::text FROM queue_history AS t
WHERE t.job_id::text = %(job_id)s ORDER BY t.created_at, t.ctid;

-- name: select_results
SELECT to_jsonb(t)::text FROM job_results AS t WHERE t.job_id::text = %(job_id)s ORDER BY t.ctid;
