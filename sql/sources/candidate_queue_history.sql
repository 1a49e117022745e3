-- Candidate: the new stack's outcomes, from queue_history. job_results never leaves 'submitting', so
-- it says what was sent, not what happened. Rows of queue_history in the shape from before the
-- migration have no event and tell of customers: none of them is an outcome.
-- name: candidate_submission_facts
SELECT
    seq,
    'live' AS mode,
    'candidate' AS side,
    job_id,
    host_of(directory) AS unit,
    host_of(directory) AS directory,
    CASE (payload->>'$.event')
        WHEN 'submitting' THEN 'in_flight'
        WHEN 'submitted' THEN 'submitted'
        WHEN 'skipped_duplicate' THEN 'skipped'
        ELSE 'failed'
    END AS status,
    (payload->>'$.event') AS raw_status,
    CASE (payload->>'$.event')
        WHEN 'error' THEN (payload->>'$.details.error')
        WHEN 'error_no_profile' THEN 'no business profile'
    END AS error_text,
    (payload->>'$.event') = 'submitting' AS begins,
    -- A final is a listing that reached the directory: a failure may rightly be tried again.
    (payload->>'$.event') = 'submitted' AS terminal,
    true AS counts_each,
    occurred_at,
    TRY_CAST(payload->>'$.details.duration_ms' AS DOUBLE) AS duration_ms,
    NULL AS url,
    NULL AS listing_url,
    NULL::JSON AS sent
FROM new_events
WHERE kind = 'queue_history' AND source = 'production' AND directory IS NOT NULL
  AND (payload->>'$.event') IN
      ('submitting', 'submitted', 'failed', 'error', 'skipped_duplicate', 'error_no_profile')
UNION ALL
-- What the plan would type, by field name: input[name='phone'] and #phone are both 'phone'.
SELECT
    seq, 'live', 'candidate', job_id, host_of(directory), host_of(directory),
    NULL, NULL, NULL, false, false, true, occurred_at, NULL,
    (list_filter(steps, lambda step: (step->>'$.action') = 'goto')[1])->>'$.url',
    listing_url,
    -- A step whose field cannot be named is left out; of two steps for one field the first counts.
    to_json(map_from_entries(list_filter(typed, lambda entry, place:
        entry.k <> '' AND list_position(list_transform(typed, lambda other: other.k), entry.k) = place
    )))
FROM (
    -- A field that is named and given nothing is typed empty, which is a value of its own.
    SELECT *, list_transform(
        list_filter(steps, lambda step: (step->>'$.action') IN ('fill', 'select')),
        lambda step: struct_pack(
            k := coalesce(regexp_extract(
                step->>'$.selector', '(?:name=[''"]?|#)([A-Za-z0-9_-]+)', 1), ''),
            v := coalesce(step->>'$.value', '')
        )
    ) AS typed
    FROM (
    SELECT seq, job_id, directory, occurred_at, (payload->>'$.listing_url') AS listing_url,
           -- The plan is a list of steps, or the brain's whole answer with the list inside.
           coalesce(from_json((payload->'$.payload.plan.plan'), '["JSON"]'),
                    from_json((payload->'$.payload.plan'), '["JSON"]')) AS steps
    FROM new_events
    WHERE kind = 'job_results' AND source = 'production' AND directory IS NOT NULL
      AND json_type(payload, '$.payload') = 'OBJECT'
    )
);
