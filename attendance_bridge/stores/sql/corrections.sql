-- name: punch
-- The punch that somebody corrects: for whom a hand has entered it, if one has, and whether it is withdrawn.
SELECT
	punch.state, punch.employee, punch.log_type, punch.occurred_at, punch.in_flight_since,
	punch.wall_time, punch.fold, punch.zone, punch.device_user_id, entered_punch.employee AS entered_for,
	coalesce((
		SELECT kind FROM correction
		WHERE correction.punch_id = punch.punch_id AND kind IN ('set_in', 'set_out', 'ignore', 'as_decided')
		ORDER BY correction DESC LIMIT 1
	), '') = 'ignore' AS is_ignored
FROM punch LEFT JOIN entered_punch ON entered_punch.punch_id = punch.punch_id
WHERE punch.punch_id = ?

-- name: write_down
-- Keep a correction.
INSERT INTO correction (punch_id, kind, why, made_by, made_at, effect) VALUES (?, ?, ?, ?, ?, ?)

-- name: of_punch
-- Every correction of a punch, the latest first.
SELECT * FROM correction WHERE punch_id = ? ORDER BY correction DESC

-- name: next_final
-- The moment of somebody's first counted punch after a moment that may have left the house already.
SELECT min(occurred_at) FROM punch
WHERE employee = :employee AND log_type IS NOT NULL AND occurred_at > :after
	AND NOT (state = 'pending' AND in_flight_since IS NULL)

-- name: take_back_decisions
-- Undo what was decided about somebody between two moments and has certainly not been sent.
UPDATE punch SET state = 'received', state_reason = '', employee = NULL, log_type = NULL, log_type_reason = NULL
WHERE employee = :employee AND occurred_at > :after AND occurred_at < :before
	AND ((state = 'pending' AND in_flight_since IS NULL) OR (state = 'duplicate' AND log_type IS NULL))

-- name: reopen
-- Put a punch back to the beginning, with a clean sheet.
UPDATE punch SET
	state = 'received', state_reason = '', employee = NULL, log_type = NULL, log_type_reason = NULL,
	due_at = NULL, in_flight_since = NULL, in_doubt = 0, attempts = 0, refusals = 0, error_code = '',
	time_approved = max(time_approved, :approve_time)
WHERE punch_id = :punch_id
