-- name: of_another_zone
-- What a terminal recorded under another zone than is configured now, and what is no check-in (on its way) yet
-- and was not handed to an upstream that decides.
SELECT * FROM punch
WHERE device_serial = :device_serial AND zone = :former AND (
	state IN ('received', 'quarantined', 'unmapped') OR (state = 'pending' AND due_at IS NULL)
) AND handed_over = 0 LIMIT :limit

-- name: rezone
-- Time a punch by another zone, and let it be decided anew. What it is, and what it shows, stay.
UPDATE punch SET
	zone = ?, occurred_at = ?, clock_offset = ?, clock_good_until = NULL,
	state = 'received', state_reason = '', employee = NULL, log_type = NULL, log_type_reason = NULL
WHERE arrival = ?
