-- Moments at which the journal grew: where time travel may stop.

-- name: select_step_back
-- The end of the last batch with events before $seq; NULL before the first.
SELECT max(last_seq) AS seq FROM batches WHERE events > 0 AND last_seq < $seq;

-- name: select_step_forward
-- The end of the first batch with events after $seq; NULL after the last.
SELECT min(last_seq) AS seq FROM batches WHERE events > 0 AND last_seq > $seq;

-- name: select_first
-- When the first batch with events was recorded; NULL before it.
SELECT min(recorded_at) AS first_at FROM batches WHERE events > 0;
