-- name: put
-- Enter a person or what is new about them; counts as a change only if something is.
INSERT INTO person (
	employee, attendance_device_id, full_name, status, department, designation, company, branch, shift
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (employee) DO UPDATE SET
	attendance_device_id = excluded.attendance_device_id, full_name = excluded.full_name,
	status = excluded.status, department = excluded.department, designation = excluded.designation,
	company = excluded.company, branch = excluded.branch, shift = excluded.shift
WHERE attendance_device_id IS NOT excluded.attendance_device_id OR full_name IS NOT excluded.full_name
	OR status IS NOT excluded.status OR department IS NOT excluded.department
	OR designation IS NOT excluded.designation OR company IS NOT excluded.company
	OR branch IS NOT excluded.branch OR shift IS NOT excluded.shift

-- name: employees
-- The keys of everybody in the list.
SELECT employee FROM person

-- name: drop
-- Take out somebody who is not in the list any more.
DELETE FROM person WHERE employee = ?

-- name: people
-- The whole list.
SELECT * FROM person ORDER BY employee

-- name: stamp
-- Note when the list was replaced.
INSERT INTO roster (only_row, refreshed_at) VALUES (1, ?)
ON CONFLICT (only_row) DO UPDATE SET refreshed_at = excluded.refreshed_at

-- name: refreshed_at
-- When the list was replaced.
SELECT refreshed_at FROM roster
