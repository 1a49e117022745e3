-- The mapping of a journal whose tables are not the shipped ones.

-- name: select_mapping
-- It is the first event or there is none, so that this costs the same in a journal of any length.
SELECT payload::VARCHAR AS payload FROM events WHERE seq = 1 AND kind = 'source.mapping';

-- name: select_mapping_of_trace
SELECT payload::VARCHAR AS payload FROM read_parquet(getvariable('trace'))
WHERE kind = 'source.mapping' ORDER BY seq LIMIT 1;
