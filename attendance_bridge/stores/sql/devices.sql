-- name: appear
-- Make sure that a device has a row.
INSERT INTO device (name) VALUES (:name) ON CONFLICT (name) DO NOTHING

-- name: place
-- Write down what the configuration says of a device. What was seen of its clock was seen by its zone's time.
UPDATE device SET
	driver = :driver, host = :host, port = :port, role = :role, zone = :zone,
	clock_offset = CASE WHEN zone IN ('', :zone) THEN clock_offset END,
	clock_good_until = CASE WHEN zone IN ('', :zone) THEN clock_good_until END
WHERE name = :name

-- name: become_another
-- Another box answers under this name: what was known of the clock and the log was the old one's.
UPDATE device SET clock_offset = NULL, clock_good_until = NULL, punches_held = NULL, punch_capacity = NULL
WHERE name = :name AND serial <> :serial

-- name: contact
-- Write down who answered. A clock that was not looked at keeps what was known of it.
UPDATE device SET
	serial = :serial, model = :model, firmware = :firmware,
	punches_held = coalesce(:punches_held, punches_held),
	punch_capacity = coalesce(:punch_capacity, punch_capacity),
	last_seen_at = :at,
	clock_offset = coalesce(:clock_offset, clock_offset),
	clock_good_until = coalesce(:clock_good_until, clock_good_until),
	failures = 0, open_until = NULL
WHERE name = :name

-- name: pulled
-- Write down how a pull went. Only one that read to the end wipes the last error out.
UPDATE device SET
	last_pull_at = :at, last_pull_complete = :complete, last_pull_read = :read, last_pull_new = :new,
	last_pull_known = :known, last_pull_unreadable = :unreadable,
	last_error_at = CASE :complete WHEN 1 THEN NULL ELSE last_error_at END,
	last_error_code = CASE :complete WHEN 1 THEN '' ELSE last_error_code END,
	last_error_details = CASE :complete WHEN 1 THEN '' ELSE last_error_details END
WHERE name = :name

-- name: failed
-- Write down an error, and how long the device is left alone for it.
UPDATE device SET
	last_error_at = :at, last_error_code = :code, last_error_details = :details,
	failures = :failures, open_until = :open_until
WHERE name = :name

-- name: forget
-- Drop a device that is configured no more.
DELETE FROM device WHERE name = :name

-- name: all
-- Every device, by name.
SELECT * FROM device ORDER BY name

-- name: serials
-- The serial number that each terminal was last seen with.
SELECT name, serial FROM device WHERE serial != ''

-- name: find
-- One device.
SELECT * FROM device WHERE name = :name

-- name: keep_policy
-- Remember how the punches of a terminal are to be decided.
INSERT INTO policy (serial, role, user_id_prefix) VALUES (:serial, :role, :user_id_prefix)
ON CONFLICT (serial) DO UPDATE SET role = excluded.role, user_id_prefix = excluded.user_id_prefix
	WHERE role != excluded.role OR user_id_prefix != excluded.user_id_prefix

-- name: policies
-- How the punches of each terminal are to be decided.
SELECT serial, role, user_id_prefix FROM policy
