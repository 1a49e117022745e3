-- Whether the candidate could be observed at all.

-- name: select_blind_periods
-- When it could not, in order; the view `blind` says what that means.
SELECT from_at, to_at FROM blind ORDER BY to_at NULLS LAST;
