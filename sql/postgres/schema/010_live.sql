-- The production tables around `jobs` as the live database has them: the old poller's world.
-- Some of it is odd on purpose, because the harness must meet what production holds:
--   * `jobs.status` allows `complete`, while both writers say `completed`; that update is refused.
--   * `jobs.customer_id` is unique: one job per customer, ever.
--   * `directory_submissions.updated_at` is set by the writer, no trigger touches it.

CREATE FUNCTION set_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at = now();
    RETURN NEW;
END;
$$;

CREATE TABLE customers (
    id              text PRIMARY KEY DEFAULT gen_random_uuid()::text,
    customer_id     varchar UNIQUE,
    business_name   text NOT NULL,
    email           text NOT NULL,
    phone           text,
    website         text,
    address         text,
    city            text,
    state           text,
    zip             text,
    country         text DEFAULT 'USA',
    package_type    text,
    directory_limit integer,
    created_at      timestamptz DEFAULT now(),
    description     text,
    category        text,
    business_data   jsonb,
    status          text,
    updated_at      timestamptz DEFAULT now()
);

CREATE TRIGGER update_customers_updated_at BEFORE UPDATE ON customers
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- Writes queue_history in its shape from before the migration.
CREATE FUNCTION log_customer_status_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status IS DISTINCT FROM OLD.status THEN
        INSERT INTO queue_history (customer_id, status_from, status_to)
        VALUES (NEW.customer_id, OLD.status, NEW.status);
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER log_customer_status_changes AFTER UPDATE ON customers
    FOR EACH ROW EXECUTE FUNCTION log_customer_status_change();

CREATE TABLE jobs (
    id                   uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id          text NOT NULL UNIQUE REFERENCES customers (customer_id),
    package_size         integer CHECK (package_size IN (50, 100, 300, 500)),
    priority_level       integer DEFAULT 3,
    status               text NOT NULL DEFAULT 'pending'
                         CHECK (status IN ('pending', 'in_progress', 'complete', 'failed')),
    created_at           timestamptz NOT NULL DEFAULT now(),
    updated_at           timestamptz NOT NULL DEFAULT now(),
    started_at           timestamptz,
    completed_at         timestamptz,
    error_message        text,
    metadata             jsonb DEFAULT '{}',
    business_name        text,
    email                text,
    phone                text,
    website              text,
    address              text,
    city                 text,
    state                text,
    zip                  text,
    description          text,
    category             text,
    directory_limit      integer DEFAULT 50,
    package_type         text DEFAULT 'starter',
    business_email       text,
    business_phone       text,
    business_website     text,
    business_address     text,
    business_city        text,
    business_state       text,
    business_zip         text,
    business_description text,
    business_category    text,
    customer_uuid        uuid,
    business_data        jsonb,
    customer_name        text,
    customer_email       text
);

CREATE INDEX jobs_open_by_age ON jobs (created_at) WHERE status IN ('pending', 'in_progress');

CREATE TRIGGER update_jobs_timestamp BEFORE UPDATE ON jobs
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

CREATE TABLE directory_submissions (
    id                      uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_job_id         text REFERENCES jobs (customer_id),
    directory_url           text NOT NULL,
    status                  text DEFAULT 'pending',
    result_message          text,
    created_at              timestamptz DEFAULT now(),
    updated_at              timestamptz DEFAULT now(),
    listing_data            jsonb,
    submission_queue_id     uuid REFERENCES jobs (id),
    customer_id             text REFERENCES customers (customer_id),
    directory_category      text,
    directory_tier          integer,
    error_message           text,
    processing_time_seconds integer
);

CREATE INDEX directory_submissions_by_job ON directory_submissions (submission_queue_id);

CREATE TABLE directories (
    id                     uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name                   text NOT NULL,
    website                text UNIQUE,
    category               text,
    domain_authority       integer,
    impact_level           text,
    submission_url         text,
    tier_required          integer CHECK (tier_required BETWEEN 1 AND 4),
    difficulty             text CHECK (difficulty IN ('Easy', 'Medium', 'Hard')),
    active                 boolean DEFAULT true,
    estimated_traffic      integer,
    time_to_approval       text,
    price                  numeric,
    features               jsonb,
    requires_approval      boolean,
    country_code           text,
    language               text,
    description            text,
    created_at             timestamptz DEFAULT now(),
    updated_at             timestamptz DEFAULT now(),
    field_selectors        jsonb,
    selectors_updated_at   timestamptz,
    selector_discovery_log jsonb,
    requires_login         boolean DEFAULT false,
    has_captcha            boolean DEFAULT false,
    failure_rate           numeric(3, 2) DEFAULT 0.00 CHECK (failure_rate BETWEEN 0 AND 1)
);

CREATE TRIGGER update_directories_updated_at BEFORE UPDATE ON directories
    FOR EACH ROW EXECUTE FUNCTION set_updated_at();

-- The old poller's cache of form mappings; entries never expire.
CREATE TABLE directory_form_mappings (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    directory_url  text UNIQUE,
    field_mappings jsonb,
    created_at     timestamptz DEFAULT now(),
    updated_at     timestamptz DEFAULT now()
);

CREATE TABLE worker_status (
    worker_id      text PRIMARY KEY,
    last_heartbeat timestamptz,
    status         text,
    desired_state  text DEFAULT 'running'
);
