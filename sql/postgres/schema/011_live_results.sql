-- The tables that the migrations 001-003 replace, as the live database has them. The rehearsal does
-- without: on a database that holds these, the migrations change nothing but triggers.

-- name: create_job_results
CREATE TABLE job_results (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    job_id         uuid REFERENCES jobs (id),
    directory_name text,
    status         text DEFAULT 'pending'
                   CHECK (status IN ('pending', 'submitted', 'failed', 'retry')),
    response_log   jsonb,
    submitted_at   timestamptz,
    retry_count    integer DEFAULT 0
);

-- name: create_queue_history
-- Written by log_customer_status_changes and by the stale-job monitor.
CREATE TABLE queue_history (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id             text REFERENCES customers (customer_id),
    status_from             text,
    status_to               text NOT NULL,
    directories_processed   integer,
    directories_failed      integer,
    processing_time_seconds integer,
    error_message           text,
    metadata                jsonb,
    created_at              timestamptz DEFAULT now()
);

-- name: create_worker_heartbeats
CREATE TABLE worker_heartbeats (
    worker_id           text PRIMARY KEY,
    status              text,
    last_seen           timestamptz,
    ai_services_enabled boolean,
    jobs_processed      integer DEFAULT 0,
    metadata            jsonb,
    created_at          timestamptz DEFAULT now(),
    updated_at          timestamptz DEFAULT now()
);
