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
