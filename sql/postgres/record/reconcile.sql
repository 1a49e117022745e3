-- Counts and keys of a whole table, in the snapshot of a sweep. Cost: one scan and two hashes a row.
-- {identity} is the key as the journal writes it, {version} what tells its versions apart.

-- name: select_census
-- 256 buckets by identity, so that all versions of a row fall into one. The sum of 60 bits of a hash
-- over identity and version is the same in any order; equal sums of different rows are as good as
-- impossible.
SELECT
    h.bucket,
    count(*) AS rows,
    sum(('x' || substr(h.hash, 1, 15))::bit(60)::bigint)::text AS stamp
FROM (
    SELECT ('x' || substr(md5({identity}), 1, 2))::bit(8)::int AS bucket,
           md5({identity} || ':' || {version}) AS hash
    FROM {table} AS t WHERE {related}
) AS h
GROUP BY h.bucket;

-- name: select_bucket_rows
SELECT t.xmin::text::bigint AS xmin, to_jsonb(t)::text AS row, {related} AS related
FROM {table} AS t
WHERE ('x' || substr(md5({identity}), 1, 2))::bit(8)::int = ANY({buckets});
