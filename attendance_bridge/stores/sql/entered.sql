-- name: mark
-- Note that a punch was entered by hand.
INSERT INTO entered_punch (punch_id, employee, occurred_at) VALUES (?, ?, ?)

-- name: exists
-- Whether there is such a punch, of whatever source.
SELECT 1 FROM punch WHERE punch_id = ?

-- name: find
-- One entered punch, a row for each thing that was said of it, in that order.
SELECT
	punch.punch_id, punch.state, punch.log_type, punch.wall_time, punch.fold, punch.zone, entered_punch.employee,
	correction.kind, correction.why, correction.made_by, correction.made_at
FROM entered_punch JOIN punch ON punch.punch_id = entered_punch.punch_id
JOIN correction ON correction.punch_id = entered_punch.punch_id
WHERE entered_punch.punch_id = :punch_id AND correction.kind IN ('set_in', 'set_out', 'ignore', 'as_decided')
ORDER BY correction.correction

-- name: of_person
-- The entered punches of one person between two moments in order of time, with the same rows.
SELECT
	punch.punch_id, punch.state, punch.log_type, punch.wall_time, punch.fold, punch.zone, entered_punch.employee,
	correction.kind, correction.why, correction.made_by, correction.made_at
FROM entered_punch JOIN punch ON punch.punch_id = entered_punch.punch_id
JOIN correction ON correction.punch_id = entered_punch.punch_id
WHERE entered_punch.employee = :employee
	AND entered_punch.occurred_at >= :since AND entered_punch.occurred_at < :until
	AND correction.kind IN ('set_in', 'set_out', 'ignore', 'as_decided')
ORDER BY entered_punch.occurred_at, entered_punch.punch_id, correction.correction
