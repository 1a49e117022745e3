-- What the doctor prints to be run by the owner. The doctor itself runs none of it.
-- {…} are quoted names. The tables are those that the candidate's migrations build.

-- name: create_job_results
CREATE TABLE {schema}.job_results (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id          uuid NOT NULL REFERENCES {schema}.jobs (id) ON DELETE CASCADE,
    directory_name  text NOT NULL,
    status          text NOT NULL
                    CHECK (status IN ('submitting', 'submitted', 'failed', 'skipped')),
    idempotency_key text NOT NULL UNIQUE,
    payload         jsonb,
    response_log    jsonb,
    screenshot_url  text,
    listing_url     text,
    error_message   text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);

-- name: create_worker_heartbeats
CREATE TABLE {schema}.worker_heartbeats (
    worker_id        uuid PRIMARY KEY,
    queue_name       text NOT NULL,
    status           text NOT NULL
                     CHECK (status IN ('starting', 'idle', 'running', 'paused', 'error')),
    current_job_id   uuid REFERENCES {schema}.jobs (id) ON DELETE SET NULL,
    queue_depth      integer DEFAULT 0,
    processing_count integer DEFAULT 0,
    last_heartbeat   timestamptz NOT NULL DEFAULT now(),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    metadata         jsonb
);

-- name: create_queue_history
CREATE TABLE {schema}.queue_history (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id         uuid NOT NULL REFERENCES {schema}.jobs (id) ON DELETE CASCADE,
    directory_name text,
    event          text NOT NULL,
    details        jsonb,
    worker_id      uuid,
    created_at     timestamptz NOT NULL DEFAULT now()
);

-- name: index_queue_history
CREATE INDEX ON {schema}.queue_history (created_at);
