-- What the journal holds of one table of production, to be held against the table itself.
-- $kind is the table. A row's last version counts; one whose deletion was recorded is gone.

-- name: create_row_heads
-- identity and version as they stand in the key (`jobs:<identity>:<xid>`); what follows the number
-- after a dot or a tilde tells versions of one transaction number apart.
CREATE OR REPLACE TEMP MACRO row_heads(table_name, versioned) AS TABLE
SELECT
    CASE WHEN versioned
         THEN regexp_extract(key, '^[^:]+:(.*):(\d+)([.~][0-9a-f.~]+)?$', 1)
         ELSE regexp_replace(substr(key, length(table_name) + 2), '~[0-9a-f]+$', '') END AS identity,
    CASE WHEN versioned
         THEN TRY_CAST(regexp_extract(key, '^[^:]+:(.*):(\d+)([.~][0-9a-f.~]+)?$', 2) AS UBIGINT)
    END AS xid,
    seq, false AS gone
FROM events
WHERE kind = table_name AND source = 'production'
UNION ALL
SELECT payload->>'$.identity', NULL, seq, true
FROM events
WHERE kind = 'row.deleted' AND source = 'production' AND payload->>'$.table' = table_name;

-- name: select_census
-- The same sums as the source's, over what should be there.
SELECT
    ('0x' || substr(md5(identity), 1, 2))::INTEGER AS bucket,
    count(*) AS rows,
    sum(('0x' || substr(md5(identity || ':' || version), 1, 15))::BIGINT)::VARCHAR AS stamp
FROM (
    SELECT identity, arg_max(gone, seq) AS gone,
           coalesce((arg_max(xid, seq) % 4294967296)::VARCHAR, '') AS version
    FROM row_heads($kind, $versioned) GROUP BY identity
)
WHERE NOT gone
GROUP BY bucket;

-- name: select_bucket_rows
-- The last version of every row of some buckets, and whether it was deleted since.
SELECT h.identity, h.gone, h.xid, h.seq, e.job_id, e.directory, e.payload
FROM (
    SELECT identity, arg_max(gone, seq) AS gone, arg_max(xid, seq) AS xid,
           max(seq) FILTER (NOT gone) AS seq
    FROM row_heads($kind, $versioned)
    WHERE ('0x' || substr(md5(identity), 1, 2))::INTEGER IN (SELECT unnest($buckets))
    GROUP BY identity
) AS h
LEFT JOIN events AS e ON e.seq = h.seq
ORDER BY h.identity;

-- name: select_rewound
-- Rewinds that nobody has acknowledged yet.
SELECT seq, payload FROM events
WHERE kind = 'record.rewound'
  AND seq > (SELECT coalesce(max(seq), 0) FROM events WHERE kind = 'record.acknowledged')
ORDER BY seq;

-- name: select_acceptance
-- Whether a person's word about a rewind is newer than the last comparison that went by it.
SELECT coalesce(max(seq) FILTER (kind = 'record.acknowledged'), 0)
     > coalesce(max(seq) FILTER (kind = 'record.reconcile' AND payload->>'$.accepted' = 'true'), 0)
       AS accepted
FROM events WHERE kind IN ('record.acknowledged', 'record.reconcile');
