-- Reads rows of one table with the transaction that wrote this version of each.
-- {table} and the column names come from the catalogue and are quoted as identifiers.
-- Every statement runs in the snapshot of the recorder's READ ONLY REPEATABLE READ transaction.
-- A row comes as text, so that one that the last poll held already is not parsed again.

-- name: select_all
-- First copy of a table that changes in place.
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t)::text AS row FROM {table} AS t;

-- name: select_all_by_time
-- First copy of an append-only table, oldest first; ctid keeps the rows of one moment in order.
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t)::text AS row FROM {table} AS t
ORDER BY t.{created}, t.ctid;

-- name: select_changed
-- Versions written at most `age` transactions ago. Rows frozen more than 2^31 transactions ago
-- keep their raw xmin, which may lie "in the future" of a 32-bit counter: hence the lower bound.
-- Cost: one scan (about 120 ms for a million rows).
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t)::text AS row FROM {table} AS t
WHERE age(t.xmin) BETWEEN 0 AND {age}
LIMIT {limit};

-- name: age_since
-- How many transactions ago X was, as a part of other statements: a tick asks for its snapshot and
-- its rows at once, so it cannot tell beforehand.
(SELECT age(s.x::xid) + (s.x::text::bigint - {since_xid})
 FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS x) AS s);

-- name: select_created_since
-- Sound only for rows whose creation time is the start of the transaction that inserts them.
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t)::text AS row FROM {table} AS t
WHERE t.{created} >= {since}
ORDER BY t.{created}, t.ctid
LIMIT {limit};

-- name: select_touched_since
-- Opportunistic: the writer sets the column as it likes, so only a sweep proves anything.
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t)::text AS row FROM {table} AS t
WHERE t.{touched} >= {since}
LIMIT {limit};

-- name: select_customers_all
-- Customers of any job; the others are none of our business.
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t)::text AS row FROM {table} AS t
WHERE t.{link}::text IN (SELECT j.customer_id::text FROM {jobs} AS j);

-- name: select_customers_changed
-- Customers of jobs that are new in this window, however old their own row is, and changed
-- customers of any job. The window of the jobs is the one of the customers: jobs may have been
-- read since, while their customers were left out.
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t)::text AS row FROM {table} AS t
WHERE t.{link}::text IN (
        SELECT j.customer_id::text FROM {jobs} AS j
        WHERE age(j.xmin) BETWEEN 0 AND {age}
      )
   OR (age(t.xmin) BETWEEN 0 AND {age}
       AND t.{link}::text IN (SELECT j.customer_id::text FROM {jobs} AS j))
LIMIT {limit};

-- name: select_rewritten
-- Tables that were given another file after the snapshot: an ALTER TABLE or a TRUNCATE that was
-- waited for. The snapshot sees none of what the new file holds. What is selected from pg_class is
-- as the snapshot has it, what the function tells is as it is now. Out: one row; also what the
-- clock shows, which is to be the first that it asks for.
SELECT clock_timestamp() AS clock, ARRAY(
    SELECT c.relname::text FROM pg_class AS c
    WHERE c.oid = ANY({oids}) AND c.relfilenode <> 0
      AND c.relfilenode <> pg_relation_filenode(c.oid)
) AS names;
