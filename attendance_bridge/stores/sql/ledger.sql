-- name: enter
-- Enter a check-in; one that stands in the book already stays as it is.
INSERT INTO check_in (
	punch_id, employee, log_type, log_type_reason, occurred_at, wall_time, fold, zone, device_serial
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (punch_id) DO NOTHING

-- name: count
-- How many check-ins stand in the book.
SELECT count(*) FROM check_in

-- name: entries
-- Check-ins, the latest first.
SELECT * FROM check_in
WHERE (:employee IS NULL OR employee = :employee)
	AND occurred_at >= :since AND occurred_at < :until
ORDER BY occurred_at DESC, punch_id DESC LIMIT :limit OFFSET :offset

-- name: scans
-- The check-ins of one person in order of time, with the key that was pressed and what people say of each.
SELECT punch.occurred_at, check_in.log_type, check_in.log_type_reason, punch.device_key, (
	SELECT kind FROM correction
	WHERE correction.punch_id = punch.punch_id AND kind IN ('set_in', 'set_out', 'ignore', 'as_decided')
	ORDER BY correction DESC LIMIT 1
) AS correction
FROM punch JOIN check_in ON check_in.punch_id = punch.punch_id
WHERE punch.employee = :employee AND punch.occurred_at >= :since AND punch.occurred_at < :until
ORDER BY punch.occurred_at, punch.punch_id

-- name: first_by_hand
-- The moment of the first punch of one person that was entered by hand, not long before a span or in it.
SELECT min(occurred_at) FROM entered_punch
WHERE employee = :employee AND occurred_at >= :reach AND occurred_at < :until

-- name: first
-- The moment of the first check-in of one person.
SELECT punch.occurred_at FROM punch JOIN check_in ON check_in.punch_id = punch.punch_id
WHERE punch.employee = ? ORDER BY punch.occurred_at LIMIT 1

-- name: people
-- Everybody who checked in between two moments.
SELECT DISTINCT employee FROM check_in
WHERE occurred_at >= ? AND occurred_at < ?
	AND punch_id NOT IN (SELECT punch_id FROM entry_by_hand WHERE last_kind = 'ignore')
ORDER BY employee
