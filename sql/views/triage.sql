-- What people say differences come from.

-- name: select_triage
-- Every statement as of the moment, the oldest first.
SELECT seq, occurred_at, payload FROM events_now WHERE kind = 'triage' ORDER BY seq;
