-- name: hold_punch
-- Hold one punch as it came; one that is held already stays as it is.
INSERT INTO punch (
	punch_id, device_serial, device_user_id, occurred_at, wall_time, fold, zone,
	verify_mode, device_key, raw, received_at, clock_read_at, clock_offset, clock_good_until
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (punch_id) DO NOTHING

-- name: last_arrival
-- Up to where the log is filled.
SELECT coalesce(max(arrival), 0) FROM punch

-- name: count_arrivals
-- Count the punches that arrived after one.
INSERT INTO tally (device_serial, state, punches)
SELECT device_serial, state, count(*) FROM punch WHERE arrival > ? GROUP BY device_serial, state
ON CONFLICT (device_serial, state) DO UPDATE SET punches = punches + excluded.punches

-- name: hold_unreadable
-- Hold one record that is no readable punch.
INSERT INTO unreadable (row_id, device_serial, raw, reason, received_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (row_id) DO NOTHING

-- name: clock_good_until
-- The last moment at which the clock of a terminal was seen to be right.
SELECT max(clock_good_until) FROM device WHERE serial = :device_serial

-- name: undecided
-- The oldest punches that nothing was decided about yet, with what people say that they are.
SELECT punch.*, (
	SELECT kind FROM correction
	WHERE correction.punch_id = punch.punch_id AND kind IN ('set_in', 'set_out', 'ignore', 'as_decided')
	ORDER BY correction DESC LIMIT 1
) AS correction
FROM punch WHERE state = 'received' ORDER BY occurred_at, punch_id LIMIT :limit

-- name: hand_on
-- Let the oldest punches that nothing was decided about go to an upstream that decides.
UPDATE punch SET state = 'pending' WHERE arrival IN (
	SELECT arrival FROM punch WHERE state = 'received' ORDER BY occurred_at, punch_id LIMIT ?
)

-- name: take_back_untold
-- What was decided here and never sent to anybody has not been seen by an upstream that decides.
UPDATE punch SET
	state = 'received', state_reason = '', employee = NULL, log_type = NULL, log_type_reason = NULL
WHERE state IN ('unmapped', 'quarantined', 'duplicate') AND handed_over = 0

-- name: leave_entered
-- What somebody entered by hand and nothing was made of yet is nothing for an upstream that decides: it knows no such
-- terminal.
UPDATE punch SET
	state = 'ignored', state_reason = '', employee = NULL, log_type = NULL, log_type_reason = NULL
WHERE punch_id IN (SELECT punch_id FROM entered_punch)
	AND (state IN ('received', 'unmapped') OR (state = 'pending' AND in_flight_since IS NULL))

-- name: find
-- One punch.
SELECT * FROM punch WHERE punch_id = :punch_id

-- name: waiting_since
-- The moment of each terminal's oldest punch that the upstream has not taken.
SELECT device_serial, min(occurred_at) AS since FROM punch
WHERE state IN ('received', 'pending') GROUP BY device_serial

-- name: standing
-- Somebody's last punch that counted, up to a moment.
SELECT occurred_at, log_type FROM punch
WHERE employee = :employee AND log_type IS NOT NULL AND occurred_at <= :before
ORDER BY occurred_at DESC, punch_id DESC LIMIT 1

-- name: next_counted
-- The moment of somebody's first counted punch after a moment; NULL if there is none.
SELECT min(occurred_at) FROM punch
WHERE employee = :employee AND log_type IS NOT NULL AND occurred_at > :after

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

-- name: record_decision
-- Write one decision beside its punch, unless something else happened to the punch meanwhile.
UPDATE punch SET state = ?, state_reason = ?, employee = ?, log_type = ?, log_type_reason = ?
WHERE punch_id = ? AND state = 'received'

-- name: held
-- Punches in any state, the last arrived first.
SELECT * FROM punch
WHERE (:device_serial IS NULL OR device_serial = :device_serial)
	AND (:device_user_id IS NULL OR device_user_id = :device_user_id)
ORDER BY arrival DESC LIMIT :limit OFFSET :offset

-- name: held_in_state
-- Punches in one state, the latest first.
SELECT * FROM punch
WHERE state = :state
	AND (:device_serial IS NULL OR device_serial = :device_serial)
	AND (:device_user_id IS NULL OR device_user_id = :device_user_id)
ORDER BY occurred_at DESC, punch_id DESC LIMIT :limit OFFSET :offset

-- name: each
-- The whole log in order of time.
SELECT * FROM punch ORDER BY occurred_at, punch_id

-- name: counts
-- How many punches of each terminal are in each state.
SELECT device_serial, state, punches FROM tally WHERE punches > 0

-- name: unreadable_count
-- How many unreadable records are held.
SELECT count(*) FROM unreadable

-- name: unreadable
-- Unreadable records, the last arrived first.
SELECT * FROM unreadable ORDER BY arrival DESC LIMIT :limit OFFSET :offset

-- name: untold
-- The oldest unreadable records of one terminal that the upstream has not been told of.
SELECT * FROM unreadable WHERE told = 0 AND device_serial = :device_serial ORDER BY arrival LIMIT :limit

-- name: mark_told
-- The upstream holds an unreadable record.
UPDATE unreadable SET told = 1 WHERE row_id = ?

-- name: reopen
-- Put punches in one state back to the beginning, with a clean sheet.
UPDATE punch SET
	state = 'received', state_reason = '', employee = NULL, log_type = NULL, log_type_reason = NULL,
	due_at = NULL, in_flight_since = NULL, in_doubt = 0, attempts = 0, refusals = 0, error_code = '',
	time_approved = max(time_approved, :approve_time)
WHERE state = :state AND (:punch_id IS NULL OR punch_id = :punch_id)

-- name: unmapped_ids
-- The ids on terminals that were nobody's when their punches were decided.
SELECT DISTINCT device_serial, device_user_id FROM punch WHERE state = 'unmapped'

-- name: reopen_unmapped
-- Put the unmapped punches of one id on one terminal back to the beginning, with a clean sheet.
UPDATE punch SET
	state = 'received', state_reason = '', due_at = NULL, in_flight_since = NULL, in_doubt = 0,
	attempts = 0, refusals = 0, error_code = ''
WHERE state = 'unmapped' AND device_serial = ? AND device_user_id = ?
