-- Seals of batches: a chain over what the hash of their events leaves out.

-- name: create_seals
CREATE TABLE IF NOT EXISTS seals (
    batch BIGINT NOT NULL,
    seal  VARCHAR NOT NULL
);

-- name: has_seals
SELECT count(*) > 0 FROM duckdb_tables() WHERE table_name = 'seals' AND NOT temporary;

-- name: select_last_seal
SELECT max(batch) AS batch, max_by(seal, batch) AS seal FROM seals;

-- name: select_seals
SELECT batch, seal FROM seals ORDER BY batch;

-- name: insert_seals
INSERT INTO seals SELECT unnest($batches::BIGINT[]), unnest($seals::VARCHAR[]);

-- name: select_sealed_texts
-- What the seal of each batch after $after says: its own columns and the watermarks it proves.
SELECT b.batch,
       concat_ws(chr(31), b.batch, b.hash, epoch_us(b.recorded_at), b.tier,
                 coalesce(b.first_seq::VARCHAR, chr(30)), b.last_seq, b.events,
                 coalesce(m.marks, chr(30))) AS text
FROM batches b
LEFT JOIN (
    SELECT batch, string_agg(mark, chr(28) ORDER BY mark) AS marks
    FROM (
        SELECT batch, concat_ws(chr(29), source, position::VARCHAR, epoch_us(complete_until), seq)
            AS mark
        FROM watermarks WHERE batch > $after
    )
    GROUP BY batch
) m USING (batch)
WHERE b.batch > $after
ORDER BY b.batch;
