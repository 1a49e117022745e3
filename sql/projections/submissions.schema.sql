-- One row per version of one side's word about one submission. A version is closed, not
-- overwritten, so reading as of a seq is a filter.
-- name: create
CREATE TABLE submissions (
    mode VARCHAR, side VARCHAR, job_id VARCHAR, unit VARCHAR, directory VARCHAR,
    outcome VARCHAR, raw_status VARCHAR, error_class VARCHAR, error_text VARCHAR,
    attempts INTEGER, finals INTEGER,
    started_at TIMESTAMPTZ, finished_at TIMESTAMPTZ, duration_ms DOUBLE,
    url VARCHAR, listing_url VARCHAR, sent JSON,
    from_seq BIGINT NOT NULL, to_seq BIGINT
);

-- name: create_fold
-- Folds facts (and, in an increment, the open versions they continue) into versions.
CREATE OR REPLACE TEMP MACRO fold_submissions(facts) AS TABLE
WITH counted AS (
    SELECT *,
        CASE WHEN status IS NULL THEN NULL
             ELSE struct_pack(status := status, raw := raw_status, error := error_text,
                              at := occurred_at, terminal := terminal) END AS word,
        counts_each OR raw_status IS DISTINCT FROM
            lag(raw_status) OVER (PARTITION BY mode, side, job_id, unit ORDER BY seq) AS counts
    FROM query_table(facts)
), folded AS (
    SELECT
        mode, side, job_id, unit, is_base, seq,
        last_value(directory IGNORE NULLS) OVER w AS directory,
        last_value(word IGNORE NULLS) OVER w AS word,
        sum(CASE WHEN is_base THEN base_attempts WHEN begins AND counts THEN 1 ELSE 0 END) OVER w
            AS attempts,
        sum(CASE WHEN is_base THEN base_finals WHEN terminal AND counts THEN 1 ELSE 0 END) OVER w
            AS finals,
        min(CASE WHEN is_base THEN base_started_at WHEN begins THEN occurred_at END) OVER w
            AS started_at,
        last_value(duration_ms IGNORE NULLS) OVER w AS duration_ms,
        last_value(url IGNORE NULLS) OVER w AS url,
        last_value(listing_url IGNORE NULLS) OVER w AS listing_url,
        last_value(sent IGNORE NULLS) OVER w AS sent,
        lead(seq) OVER (PARTITION BY mode, side, job_id, unit ORDER BY seq) AS next_seq
    FROM counted
    WINDOW w AS (PARTITION BY mode, side, job_id, unit ORDER BY seq
                 ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT
    mode, side, job_id, unit, directory,
    coalesce(word.status, 'in_flight') AS outcome,
    word.raw AS raw_status,
    CASE WHEN word.status = 'failed' AND side <> 'observed' THEN classify_error(word.error) END
        AS error_class,
    word.error AS error_text,
    attempts::INTEGER AS attempts,
    finals::INTEGER AS finals,
    started_at,
    CASE WHEN word.status <> 'in_flight' THEN word.at END AS finished_at,
    duration_ms, url, listing_url, sent,
    seq AS from_seq,
    next_seq AS to_seq,
    is_base
FROM folded;
