-- name: assign
-- Have somebody work a shift.
INSERT INTO shift_assignment (employee, shift, first_day, last_day, besides, made_by, made_at)
VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: find_assignment
-- One assignment.
SELECT * FROM shift_assignment WHERE assignment = ?

-- name: drop_assignment
-- Take an assignment back.
DELETE FROM shift_assignment WHERE assignment = ?

-- name: assignments
-- The shifts of one person in a range of dates, the last one made first.
SELECT * FROM shift_assignment
WHERE employee = :employee AND first_day <= :last AND (last_day IS NULL OR last_day >= :first)
ORDER BY assignment DESC

-- name: mark
-- Say something of a day of somebody, in place of what was said before.
INSERT INTO day_mark (employee, day, kind, why, made_by, made_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (employee, day) DO UPDATE SET
	kind = excluded.kind, why = excluded.why, made_by = excluded.made_by, made_at = excluded.made_at

-- name: clear
-- Nothing is said any more of the days of somebody in a range of dates.
DELETE FROM day_mark WHERE employee = :employee AND day >= :first AND day <= :last

-- name: marks
-- What is said of the days of one person in a range of dates.
SELECT * FROM day_mark WHERE employee = :employee AND day >= :first AND day <= :last ORDER BY day
