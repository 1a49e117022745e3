-- The first copy of one table as a stream of lines: the version, a tab, the row as JSON.
-- {table} and the column names come from the catalogue and are quoted as identifiers; values are
-- literals, because COPY takes no parameters. JSON text holds no control character, so with a quote
-- that is one nothing is ever quoted or escaped.

-- name: hold_table
-- Keeps VACUUM FULL, CLUSTER and ALTER TABLE away until the end of the transaction, as any reading
-- of the table does: what is told of its file now stays true.
SELECT FROM {table} LIMIT 0;

-- name: select_form
-- paged: its rows lie in pages of its own and nowhere else. keyed: no two rows have the same key.
-- Every row that the snapshot shows lies in one of `pages`, since they are counted after it.
SELECT
    pg_relation_filenode(c.oid)::bigint AS filenode,
    c.relkind = 'r' AND NOT c.relhassubclass AND m.amname = 'heap' AS paged,
    (c.relkind = 'p' OR NOT c.relhassubclass)
        AND EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary) AS keyed,
    pg_relation_size(c.oid) / current_setting('block_size')::bigint AS pages,
    c.reltuples::bigint AS estimate,
    current_setting('server_version_num')::int AS server_version
FROM pg_class AS c
LEFT JOIN pg_am AS m ON m.oid = c.relam
WHERE c.oid = {name}::regclass;

-- name: count_rows
SELECT count(*) AS rows FROM {table};

-- name: version_of
-- A part of the others: the 64-bit number of the transaction that wrote the row, as full_xid in
-- harness/record/postgres/xids.py tells it.
(SELECT CASE WHEN v.raw < 3 OR v.full_ < 3 THEN v.raw ELSE v.full_ END
 FROM (SELECT x.raw, {xmax} - 1 - ((({xmax} - 1 - x.raw) % 4294967296 + 4294967296) % 4294967296)
              AS full_
       FROM (SELECT {raw}::text::bigint AS raw) AS x) AS v)

-- name: copy_pages
COPY (
    SELECT {version}, to_jsonb(t) FROM {table} AS t
    WHERE t.ctid >= {first} AND t.ctid < {end}
) TO STDOUT (FORMAT csv, DELIMITER E'\t', QUOTE E'\x01', ENCODING 'UTF8');

-- name: copy_by_time
-- Oldest first; ctid keeps the rows of one moment in order. Rows without a time come last.
COPY (
    SELECT {version}, to_jsonb(t) FROM {table} AS t
    WHERE {after}::text IS NULL OR t.{created} >= {after} OR t.{created} IS NULL
    ORDER BY t.{created}, t.ctid
) TO STDOUT (FORMAT csv, DELIMITER E'\t', QUOTE E'\x01', ENCODING 'UTF8');

-- name: copy_all
COPY (
    SELECT {version}, to_jsonb(t) FROM {table} AS t
) TO STDOUT (FORMAT csv, DELIMITER E'\t', QUOTE E'\x01', ENCODING 'UTF8');

-- name: copy_customers
-- Customers of any job; the others are none of our business.
COPY (
    SELECT {version}, to_jsonb(t) FROM {table} AS t
    WHERE t.{link}::text IN (SELECT j.customer_id::text FROM {jobs} AS j)
) TO STDOUT (FORMAT csv, DELIMITER E'\t', QUOTE E'\x01', ENCODING 'UTF8');
