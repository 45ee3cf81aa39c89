-- name: same_second
-- Another punch of that person, or of that id while nobody has decided whose it is, at that very moment.
SELECT punch_id FROM punch
WHERE occurred_at = :occurred_at AND punch_id != :punch_id AND (
	employee = :employee OR (employee IS NULL AND device_user_id = :device_user_id)
) LIMIT 1

-- name: too_near
-- The nearest other punch that counts of that person, or is about to be decided under that id, within a span.
SELECT punch.* FROM punch
WHERE occurred_at > :after AND occurred_at < :before AND punch_id != :punch_id AND (
	(employee = :employee AND log_type IS NOT NULL) OR (state = 'received' AND device_user_id = :device_user_id)
) AND coalesce((
	SELECT kind FROM correction
	WHERE correction.punch_id = punch.punch_id AND kind IN ('set_in', 'set_out', 'ignore', 'as_decided')
	ORDER BY correction DESC LIMIT 1
), '') != 'ignore'
ORDER BY abs(occurred_at - :occurred_at), occurred_at LIMIT 1

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
