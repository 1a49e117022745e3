-- The journal's tables. Events are only ever inserted.

-- name: create_meta
CREATE TABLE meta (
    journal_id     VARCHAR NOT NULL,
    schema_version INTEGER NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    tool_version   VARCHAR NOT NULL
);

-- name: create_events
-- `key_hash` is md5_number_upper(key), which Python and DuckDB both compute. Exactly-once looks a key
-- up by it, because a UNIQUE index on `key` made a first copy 7 times slower and the file 5 times
-- larger at 3 million events. One writer holds the file at a time, so look-up and insert cannot be
-- interleaved. Journals of version 1 hold the key's BLAKE2b there until they are written to.
CREATE TABLE events (
    seq         BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    source      VARCHAR NOT NULL,
    kind        VARCHAR NOT NULL,
    key         VARCHAR NOT NULL,
    job_id      VARCHAR,
    directory   VARCHAR,
    payload     JSON NOT NULL USING COMPRESSION zstd,
    batch       BIGINT NOT NULL,
    key_hash    UBIGINT NOT NULL
);

-- name: create_batches
CREATE TABLE batches (
    batch       BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    tier        VARCHAR NOT NULL,
    first_seq   BIGINT,
    last_seq    BIGINT NOT NULL,
    events      BIGINT NOT NULL,
    hash        VARCHAR NOT NULL
);

-- name: create_watermarks
-- A history: the newest row of a source counts, older ones answer "as of".
CREATE TABLE watermarks (
    source         VARCHAR NOT NULL,
    position       JSON NOT NULL,
    complete_until TIMESTAMPTZ NOT NULL,
    batch          BIGINT NOT NULL,
    seq            BIGINT NOT NULL
);

-- name: create_projection_state
CREATE TABLE projection_state (
    name VARCHAR PRIMARY KEY,
    seq  BIGINT NOT NULL
);
