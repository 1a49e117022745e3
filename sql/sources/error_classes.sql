-- name: create_classify_error
-- The class of an error text, whichever side worded it. Order matters: a captcha page that also
-- timed out is a captcha. An unmatched text is 'unknown': shown, never hidden.
CREATE OR REPLACE TEMP MACRO classify_error(text) AS
CASE
    WHEN text IS NULL THEN 'refused'
    -- Our own words for a worker that died; what it quotes after them may contain any other word.
    WHEN text LIKE 'crash of the %' THEN 'crash'
    -- Nothing was opened then, whatever the planning service answered.
    WHEN regexp_matches(text, 'failed to get submission plan', 'i') THEN 'config'
    WHEN regexp_matches(text, 'captcha', 'i') THEN 'captcha'
    WHEN regexp_matches(text, 'timeout|timed out|exceeded', 'i') THEN 'timeout'
    WHEN regexp_matches(text, 'net::|ns_error|err_|navigation|connection (refused|reset)|\b(403|404|5\d\d)\b', 'i') THEN 'navigation'
    WHEN regexp_matches(text, 'selector|no element|not found on page|strict mode violation|waiting for locator', 'i') THEN 'selector_missing'
    WHEN regexp_matches(text, 'missing directory url|no business profile|no_profile|unknown action|no pending submissions', 'i') THEN 'config'
    WHEN regexp_matches(text, 'predicted submission failed|no success indicators|no confirmation|rejected|not accepted|no_form', 'i') THEN 'refused'
    WHEN regexp_matches(text, 'crash|target closed|browser has been closed', 'i') THEN 'crash'
    ELSE 'unknown'
END;

-- name: create_moment_of
-- A time as the source wrote it; NULL where it is none, or none that a duration could be taken of.
CREATE OR REPLACE TEMP MACRO moment_of(text) AS
CASE WHEN TRY_CAST(text AS TIMESTAMPTZ)
          BETWEEN TIMESTAMPTZ '1900-01-01 00:00:00+00' AND TIMESTAMPTZ '9000-01-01 00:00:00+00'
     THEN TRY_CAST(text AS TIMESTAMPTZ) END;

-- name: create_host_of
-- The key a directory is paired by: host in lower case, without scheme, www. and port.
CREATE OR REPLACE TEMP MACRO host_of(url) AS
regexp_replace(
    regexp_extract(
        trim(lower(url), ' ' || chr(9) || chr(10) || chr(13)),
        '^(?:(?:[a-z][a-z0-9+.-]*:)?//)?(?:[^/@?#]*@)?([^/:?#]+)', 1
    ),
    '^www\.', ''
);

-- name: create_path_of
-- What a visitor sees of an address after its host: '/' for none; a trailing slash tells nothing.
CREATE OR REPLACE TEMP MACRO path_of(url) AS
CASE WHEN url IS NOT NULL THEN coalesce(nullif(regexp_replace(
    regexp_extract(
        trim(url, ' ' || chr(9) || chr(10) || chr(13)),
        '^(?:(?:[A-Za-z][A-Za-z0-9+.-]*:)?//)?[^/?#]*([^?#]*)', 1
    ), '/+$', ''), ''), '/') END;

-- name: create_sent_of
-- The values of a submission, in whichever of the two systems' words they are.
CREATE OR REPLACE TEMP MACRO sent_of(v) AS {
    sent_name: coalesce((v->>'$.name'), (v->>'$.business_name'), (v->>'$.customer_name')),
    sent_email: coalesce((v->>'$.email'), (v->>'$.customer_email')),
    sent_phone: (v->>'$.phone'),
    sent_website: (v->>'$.website'),
    sent_address: (v->>'$.address'),
    sent_city: (v->>'$.city'),
    sent_state: (v->>'$.state'),
    sent_zip: (v->>'$.zip'),
    sent_category: (v->>'$.category'),
    sent_description: (v->>'$.description')
};

-- name: create_is_job_word
-- Whether a status of a job is one that the mapping of its source lists; NULL of NULL.
CREATE OR REPLACE TEMP MACRO is_job_word(word) AS
word IN ('pending', 'queued', 'in_progress', 'processing', 'paused', 'complete', 'completed',
         'failed', 'cancelled');

-- name: create_is_event_word
-- The same of an event of queue_history.
CREATE OR REPLACE TEMP MACRO is_event_word(word) AS
word IN ('queue_claimed', 'flow_triggered', 'flow_started', 'job_started', 'no_directories',
         'ai_prioritization', 'error_no_profile', 'ab_test_assigned', 'ai_content_customized',
         'ai_retry_recommended', 'skipped_duplicate', 'submitting', 'submitted', 'failed', 'error',
         'job_failed', 'job_finalized', 'flow_completed');
