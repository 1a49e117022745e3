-- One row per version of what is known about one job.
-- name: create
CREATE TABLE jobs (
    job_id VARCHAR, customer_id VARCHAR, package_size INTEGER, priority INTEGER,
    created_at TIMESTAMPTZ,
    control_status VARCHAR, control_started_at TIMESTAMPTZ, control_finished_at TIMESTAMPTZ,
    control_error VARCHAR, business JSON,
    claimed_at TIMESTAMPTZ, triggered_at TIMESTAMPTZ, flow_started_at TIMESTAMPTZ,
    candidate_finished_at TIMESTAMPTZ, candidate_status VARCHAR,
    from_seq BIGINT NOT NULL, to_seq BIGINT
);

-- name: create_fold
-- The candidate's first claim counts (a redelivery comes later), its last end counts.
CREATE OR REPLACE TEMP MACRO fold_jobs(facts) AS TABLE
SELECT
    job_id,
    last_value(customer_id IGNORE NULLS) OVER w AS customer_id,
    last_value(package_size IGNORE NULLS) OVER w AS package_size,
    last_value(priority IGNORE NULLS) OVER w AS priority,
    first_value(created_at IGNORE NULLS) OVER w AS created_at,
    last_value(control_status IGNORE NULLS) OVER w AS control_status,
    first_value(control_started_at IGNORE NULLS) OVER w AS control_started_at,
    last_value(control_finished_at IGNORE NULLS) OVER w AS control_finished_at,
    last_value(control_error IGNORE NULLS) OVER w AS control_error,
    last_value(business IGNORE NULLS) OVER w AS business,
    first_value(claimed_at IGNORE NULLS) OVER w AS claimed_at,
    first_value(triggered_at IGNORE NULLS) OVER w AS triggered_at,
    first_value(flow_started_at IGNORE NULLS) OVER w AS flow_started_at,
    last_value(candidate_finished_at IGNORE NULLS) OVER w AS candidate_finished_at,
    last_value(candidate_status IGNORE NULLS) OVER w AS candidate_status,
    seq AS from_seq,
    lead(seq) OVER (PARTITION BY job_id ORDER BY seq) AS to_seq,
    is_base
FROM query_table(facts)
WINDOW w AS (PARTITION BY job_id ORDER BY seq
             ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW);
