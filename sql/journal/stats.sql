-- What a journal holds, counted as of a moment.

-- name: count_by_kind
SELECT kind, count(*) AS events FROM events_now GROUP BY kind ORDER BY kind;

-- name: count_by_source
SELECT source, count(*) AS events FROM events_now GROUP BY source ORDER BY source;

-- name: count_by_tier
-- What found the events. A batch may prove a watermark and hold none.
SELECT tier, count(*) AS batches, sum(events)::BIGINT AS events
FROM batches WHERE last_seq <= $seq GROUP BY tier ORDER BY tier;

-- name: select_span
SELECT min(recorded_at), max(recorded_at), min(occurred_at), max(occurred_at),
       count(DISTINCT job_id)
FROM events_now;

-- name: select_gaps
SELECT payload->>'$.what' AS what, payload->>'$.from' AS since, payload->>'$.until' AS until,
       payload->>'$.why' AS why
FROM events_now WHERE kind = 'record.gap' ORDER BY seq;

-- name: select_completeness
-- How far each source is recorded completely: its newest watermark.
SELECT source, max_by(complete_until, batch) AS complete_until
FROM watermarks WHERE seq <= $seq GROUP BY source ORDER BY source;
