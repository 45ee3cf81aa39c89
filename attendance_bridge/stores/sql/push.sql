-- name: knock
-- A serial number that nobody approved called.
INSERT INTO push_terminal (serial, state, dialect, peer, model, firmware, mac, calls, first_seen_at, last_seen_at)
VALUES (:serial, 'waiting', :dialect, :peer, :model, :firmware, :mac, 1, :at, :at)
ON CONFLICT (serial) DO UPDATE SET
	dialect = excluded.dialect, peer = excluded.peer,
	model = CASE excluded.model WHEN '' THEN model ELSE excluded.model END,
	firmware = CASE excluded.firmware WHEN '' THEN firmware ELSE excluded.firmware END,
	mac = CASE excluded.mac WHEN '' THEN mac ELSE excluded.mac END,
	calls = calls + 1, last_seen_at = excluded.last_seen_at,
	state = CASE state WHEN 'configured' THEN 'waiting' ELSE state END

-- name: waiting_count
-- How many wait.
SELECT count(*) FROM push_terminal WHERE state = 'waiting'

-- name: drop_longest_unheard
-- Make room on the pairing list.
DELETE FROM push_terminal WHERE serial = (
	SELECT serial FROM push_terminal WHERE state = 'waiting' AND last_seen_at < :before
	ORDER BY last_seen_at LIMIT 1
)

-- name: find
-- One terminal.
SELECT * FROM push_terminal WHERE serial = :serial

-- name: all
-- Every terminal that called, those that wait first.
SELECT * FROM push_terminal ORDER BY state <> 'waiting', last_seen_at DESC

-- name: approve
-- Let a terminal in.
INSERT INTO push_terminal
	(serial, state, first_seen_at, last_seen_at, name, zone, role, user_id_prefix, decided_by, decided_at)
VALUES (:serial, 'approved', :at, :at, :name, :zone, :role, :user_id_prefix, :by, :at)
ON CONFLICT (serial) DO UPDATE SET
	state = 'approved', name = excluded.name, zone = excluded.zone, role = excluded.role,
	user_id_prefix = excluded.user_id_prefix, decided_by = excluded.decided_by, decided_at = excluded.decided_at

-- name: refuse
-- Turn a terminal away.
UPDATE push_terminal SET state = 'refused', decided_by = :by, decided_at = :at WHERE serial = :serial

-- name: forget
-- Take a terminal off the list; it may knock again.
DELETE FROM push_terminal WHERE serial = :serial

-- name: register
-- What a terminal was given first counts.
INSERT INTO push_terminal (serial, state, first_seen_at, last_seen_at, registry_code, session_id)
VALUES (:serial, 'configured', :at, :at, :code, :session)
ON CONFLICT (serial) DO UPDATE SET registry_code = excluded.registry_code, session_id = excluded.session_id
	WHERE registry_code = ''

-- name: contact
-- A terminal that was let in called. What it does not say is kept as it was.
INSERT INTO push_terminal
	(serial, state, dialect, peer, model, firmware, mac, calls, first_seen_at, last_seen_at, sightings, is_twin,
	cannot_decrypt, told_offset)
VALUES (:serial, 'configured', :dialect, :peer, :model, :firmware, :mac, :calls, :at, :at, :sightings, :is_twin,
	:cannot_decrypt, :told_offset)
ON CONFLICT (serial) DO UPDATE SET
	dialect = excluded.dialect, peer = excluded.peer,
	model = CASE excluded.model WHEN '' THEN model ELSE excluded.model END,
	firmware = CASE excluded.firmware WHEN '' THEN firmware ELSE excluded.firmware END,
	mac = CASE excluded.mac WHEN '' THEN mac ELSE excluded.mac END,
	calls = calls + excluded.calls, last_seen_at = excluded.last_seen_at, sightings = excluded.sightings,
	is_twin = excluded.is_twin, cannot_decrypt = max(cannot_decrypt, excluded.cannot_decrypt),
	told_offset = coalesce(excluded.told_offset, told_offset),
	state = CASE state WHEN 'waiting' THEN 'configured' ELSE state END

-- name: add_dropped
-- Count what was not kept.
INSERT INTO push_dropped (serial, kind, number) VALUES (:serial, :kind, :number)
ON CONFLICT (serial, kind) DO UPDATE SET number = number + excluded.number

-- name: dropped
-- What was not kept of one terminal.
SELECT kind, number FROM push_dropped WHERE serial = :serial ORDER BY kind

-- name: stamp
-- Up to where a terminal has sent a table.
INSERT INTO push_stamp (serial, push_table, value) VALUES (:serial, :push_table, :value)
ON CONFLICT (serial, push_table) DO UPDATE SET value = excluded.value

-- name: stamps
-- Where a terminal resumes.
SELECT push_table, value FROM push_stamp WHERE serial = :serial ORDER BY push_table

-- name: forget_stamps
-- Let a terminal send everything again at its next handshake.
DELETE FROM push_stamp WHERE serial = :serial

-- name: held_between
-- The latest punches of a terminal that occurred in a time.
SELECT * FROM punch WHERE occurred_at >= :since AND occurred_at <= :until AND device_serial = :serial
ORDER BY arrival DESC LIMIT :limit

-- name: queue
-- A command for a terminal.
INSERT INTO push_command (serial, text, queued_by, queued_at) VALUES (:serial, :text, :by, :at)

-- name: open_count
-- How many commands of a terminal are under way.
SELECT count(*) FROM push_command WHERE serial = :serial AND state IN ('queued', 'sent')

-- name: open
-- The commands of a terminal that are under way, oldest first.
SELECT command, text, state, queued_at, sent_at, attempts FROM push_command
WHERE serial = :serial AND state IN ('queued', 'sent') ORDER BY command

-- name: sent
-- A command goes out.
UPDATE push_command SET state = 'sent', sent_at = :at, attempts = attempts + 1 WHERE command = :command

-- name: give_up
-- No answer came, several times.
UPDATE push_command SET state = 'failed', ended_at = :at, said = 'no answer' WHERE command = :command

-- name: restarted
-- A terminal has started anew: that is the answer to a command to do so.
UPDATE push_command SET state = 'done', ended_at = :at, code = 0, said = 'started'
WHERE serial = :serial AND text = :text AND state = 'sent'

-- name: outcome
-- What the terminal says became of a command.
UPDATE push_command SET
	state = CASE WHEN :code >= 0 THEN 'done' ELSE 'failed' END, ended_at = :at, code = :code, said = :said
WHERE command = :command AND serial = :serial AND state IN ('queued', 'sent', 'failed')

-- name: commands
-- The latest commands of a terminal.
SELECT * FROM push_command WHERE serial = :serial ORDER BY command DESC LIMIT :limit

-- name: forget_commands
-- Commands that ended long ago.
DELETE FROM push_command WHERE ended_at < :before
