-- What the journal holds of rows that change in place. The key of such an event is
-- `table:identity:number`; what follows the number after a dot or a tilde marks a version that no
-- sweep can meet under that number.

-- name: select_versions_since
-- Versions of these rows by transactions from $xid on. In: $kind, $identities, $xid. One scan of
-- the kind's keys.
SELECT identity, number::BIGINT AS xid, payload
FROM (
    SELECT seq, payload,
           regexp_extract(key, '^[^:]+:(.*):(\d+)$', 1) AS identity,
           regexp_extract(key, '^[^:]+:(.*):(\d+)$', 2) AS number
    FROM events_now WHERE kind = $kind AND source = 'production'
)
WHERE identity IN (SELECT unnest($identities::VARCHAR[])) AND number <> ''
  AND number::BIGINT >= $xid
ORDER BY seq;

-- name: select_newest_versions
-- The version of each of these rows that was recorded last. In: $kind, $identities.
SELECT identity, arg_max(payload, seq) AS payload
FROM (
    SELECT seq, payload,
           regexp_extract(key, '^[^:]+:(.*):\d+([.~][0-9a-f.~]+)?$', 1) AS identity
    FROM events_now WHERE kind = $kind AND source = 'production'
)
WHERE identity IN (SELECT unnest($identities::VARCHAR[]))
GROUP BY identity;
