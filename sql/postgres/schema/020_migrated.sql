-- What the new stack's migrations 001-003 build on a database that lacks these tables.

-- 001
CREATE TABLE job_results (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id          uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
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

CREATE INDEX job_results_by_job ON job_results (job_id);

CREATE TRIGGER update_job_results_updated_at BEFORE UPDATE ON job_results
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- 002
CREATE TABLE worker_heartbeats (
    worker_id        uuid PRIMARY KEY,
    queue_name       text NOT NULL,
    status           text NOT NULL
                     CHECK (status IN ('starting', 'idle', 'running', 'paused', 'error')),
    current_job_id   uuid REFERENCES jobs (id) ON DELETE SET NULL,
    queue_depth      integer DEFAULT 0,
    processing_count integer DEFAULT 0,
    last_heartbeat   timestamptz NOT NULL DEFAULT now(),
    created_at       timestamptz NOT NULL DEFAULT now(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    metadata         jsonb
);

CREATE TRIGGER update_worker_heartbeats_updated_at BEFORE UPDATE ON worker_heartbeats
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE VIEW stale_workers AS
SELECT worker_id, queue_name, status, current_job_id, last_heartbeat,
       extract(epoch FROM now() - last_heartbeat) AS seconds_since_heartbeat
FROM worker_heartbeats
WHERE last_heartbeat < now() - interval '2 minutes' AND status IN ('running', 'idle');

-- 003
CREATE TABLE queue_history (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id         uuid NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    directory_name text,
    event          text NOT NULL,
    details        jsonb,
    worker_id      uuid REFERENCES worker_heartbeats (worker_id) ON DELETE SET NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX queue_history_by_time ON queue_history (created_at);
CREATE INDEX queue_history_by_job ON queue_history (job_id);

CREATE FUNCTION refuse_queue_history_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'queue_history is append-only: % is not allowed', TG_OP;
END;
$$;

-- Row triggers: a DELETE of the parent job or heartbeat is blocked too, TRUNCATE is not.
CREATE TRIGGER prevent_queue_history_update BEFORE UPDATE ON queue_history
    FOR EACH ROW EXECUTE FUNCTION refuse_queue_history_change();
CREATE TRIGGER prevent_queue_history_delete BEFORE DELETE ON queue_history
    FOR EACH ROW EXECUTE FUNCTION refuse_queue_history_change();

-- It writes columns that queue_history no longer has: every change of a customer's status
-- would fail, so a database that runs both systems has to part with it.
DROP TRIGGER log_customer_status_changes ON customers;
DROP FUNCTION log_customer_status_change();
