-- What named persons have said, and what a calibration and the recorder have noted, as of the moment.

-- name: select_attestations
SELECT payload, occurred_at, seq FROM events_now WHERE kind = 'attest' ORDER BY seq;

-- name: select_waivers
SELECT payload, occurred_at, seq FROM events_now WHERE kind = 'waive' ORDER BY seq;

-- name: select_marks
-- By when it was journaled, so that nobody sets one back to where it suits.
SELECT payload, recorded_at, seq FROM events_now WHERE kind = 'mark' ORDER BY seq;

-- name: select_criteria
SELECT payload, recorded_at FROM events_now WHERE kind = 'criteria' ORDER BY seq;

-- name: select_last_calibration
SELECT payload, recorded_at FROM events_now WHERE kind = 'calibrated' ORDER BY seq DESC LIMIT 1;
