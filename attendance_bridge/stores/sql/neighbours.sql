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
