-- What the samples say about levels that must stay low, and signs of the old system.

-- name: select_queue_levels
SELECT occurred_at,
       (payload->>'$.queue_depth')::INT AS queued,
       (payload->>'$.dlq_depth')::INT + coalesce((payload->>'$.dlq_in_flight')::INT, 0) AS dead
FROM events_now WHERE kind = 'sqs.sample' ORDER BY occurred_at;

-- name: select_stale_levels
SELECT occurred_at, json_array_length(payload->'$.stale') AS stale
FROM events_now
WHERE kind = 'workers.sample' AND json_type(payload->'$.stale') = 'ARRAY'
ORDER BY occurred_at;

-- name: select_old_path
-- The newest sign that the old system works: its worker's heartbeat, or a submission it began or
-- ended.
SELECT seen_at, words
FROM (
    SELECT max(occurred_at) AS seen_at, 'a heartbeat of the old poller' AS words
    FROM events_now WHERE kind = 'worker_status'
    UNION ALL
    SELECT greatest(max(started_at), max(finished_at)), 'a submission of the old poller'
    FROM submissions_now WHERE side = 'control' AND mode = 'live'
)
WHERE seen_at IS NOT NULL ORDER BY seen_at DESC LIMIT 1;

-- name: count_leftovers
-- Rows that still wait for the old poller though the candidate has not ended them either, and rows
-- of a writer that is neither.
SELECT
    (SELECT count(*) FROM jobs_now
     WHERE control_status IN ('pending', 'queued', 'in_progress', 'processing', 'paused')
       AND candidate_finished_at IS NULL) AS old_status,
    (SELECT count(*) FROM submissions_now WHERE side = 'other') AS unknown_writer;
