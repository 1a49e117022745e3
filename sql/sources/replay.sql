-- Replays: what the worker claimed and what the sandbox site saw, from replay.submission events.
-- What ended otherwise when it was done again keeps its first outcome, under the word 'flaky'.
-- name: replay_submission_facts
SELECT
    seq,
    (payload->>'$.run') AS mode,
    'candidate' AS side,
    job_id,
    host_of(directory) AS unit,
    host_of(directory) AS directory,
    (payload->>'$.claimed.status') AS status,
    (payload->>'$.claimed.status') AS raw_status,
    (payload->>'$.claimed.error_text') AS error_text,
    true AS begins,
    (payload->>'$.claimed.status') = 'submitted' AS terminal,
    true AS counts_each,
    occurred_at,
    (payload->>'$.claimed.duration_ms')::DOUBLE AS duration_ms,
    (payload->>'$.claimed.final_url') AS url,
    NULL AS listing_url,
    NULL::JSON AS sent
FROM new_events
WHERE kind = 'replay.submission' AND (payload->>'$.claimed.status') IS NOT NULL
UNION ALL
SELECT
    seq,
    (payload->>'$.run'),
    'observed',
    job_id,
    host_of(directory),
    host_of(directory),
    CASE WHEN (payload->>'$.observed.accepted')::INT > 0 THEN 'submitted' ELSE 'failed' END,
    CASE WHEN (payload->>'$.observed.accepted')::INT > 0 THEN 'accepted'
         WHEN (payload->>'$.observed.posts')::INT > 0 THEN 'refused' ELSE 'nothing received' END,
    NULL,
    false,
    (payload->>'$.observed.accepted')::INT > 0,
    true,
    occurred_at,
    NULL,
    (payload->>'$.observed.url'),
    NULL,
    (payload->'$.observed.values')
FROM new_events
WHERE kind = 'replay.submission' AND (payload->>'$.claimed.status') IS NOT NULL
UNION ALL
SELECT
    seq,
    (payload->>'$.run'),
    'candidate',
    job_id,
    host_of(directory),
    host_of(directory),
    (payload->>'$.first.claimed'),
    'flaky',
    (payload->>'$.first.error_text'),
    false,
    false,
    true,
    occurred_at,
    NULL,
    NULL,
    NULL,
    NULL
FROM new_events
WHERE kind = 'replay.again' AND (payload->>'$.flaky')::BOOLEAN;
