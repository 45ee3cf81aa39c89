-- name: pull_due_times_in
-- After our own clock was set back: nobody waits longer than the longest wait there is.
UPDATE punch INDEXED BY punch_claimed SET due_at = :latest
WHERE state = 'pending' AND due_at IS NOT NULL AND due_at > :latest

-- name: claimable
-- Check-ins that are due, oldest first, without the people who wait behind an earlier one that is not.
WITH waiting AS (
	SELECT employee, min(occurred_at) AS since FROM punch INDEXED BY punch_claimed
	WHERE state = 'pending' AND due_at IS NOT NULL AND due_at > :now
	GROUP BY employee
)
SELECT punch.* FROM punch LEFT JOIN waiting ON waiting.employee = punch.employee
WHERE punch.state = 'pending'
	AND (punch.due_at IS NULL OR punch.due_at <= :now)
	AND (waiting.since IS NULL OR punch.occurred_at < waiting.since)
ORDER BY punch.occurred_at, punch.punch_id LIMIT :limit

-- name: device_names
-- The names of terminals by serial number; of two names for one terminal the one last seen comes last.
SELECT serial, name FROM device WHERE serial != '' ORDER BY last_seen_at

-- name: claim
-- Note that a check-in is about to be sent, and whether it may have been sent before.
UPDATE punch SET in_doubt = (in_flight_since IS NOT NULL), in_flight_since = ?, due_at = ?, recovered = 0
WHERE arrival = ?

-- name: recover
-- The process that claimed these is gone: what it sent last may be under way at the upstream from now on.
UPDATE punch SET due_at = max(coalesce(due_at, 0), ?), recovered = 1
WHERE state = 'pending' AND due_at IS NOT NULL AND in_flight_since IS NOT NULL AND recovered = 0

-- name: mark_accepted
-- The upstream took it.
UPDATE punch SET state = 'checked_in', reference = ?, error_code = '', due_at = NULL, in_flight_since = NULL
WHERE punch_id = ? AND state = 'pending'

-- name: mark_duplicate
-- The upstream held it already: from us, if we may have sent it before; else from somebody else.
UPDATE punch SET
	state = CASE in_doubt WHEN 1 THEN 'checked_in' ELSE 'duplicate' END,
	reference = ?, error_code = '', due_at = NULL, in_flight_since = NULL
WHERE punch_id = ? AND state = 'pending'

-- name: mark_unmapped
-- The upstream knows no such person: the punch is nobody's again.
UPDATE punch SET
	state = 'unmapped', state_reason = ?, employee = NULL, log_type = NULL, log_type_reason = NULL,
	error_code = ?, due_at = NULL, in_flight_since = NULL
WHERE punch_id = ? AND state = 'pending'

-- name: mark_rejected
-- The upstream refuses it for good.
UPDATE punch SET state = 'rejected', error_code = ?, due_at = NULL, in_flight_since = NULL
WHERE punch_id = ? AND state = 'pending'

-- name: mark_decided
-- The upstream took it, and this is what it made of it.
UPDATE punch SET
	state = ?, state_reason = ?, employee = ?, log_type = ?, log_type_reason = ?, reference = ?, error_code = ?,
	handed_over = 1, due_at = NULL, in_flight_since = NULL
WHERE punch_id = ? AND state = 'pending'

-- name: hurry
-- What was certainly put off for one reason is due again.
UPDATE punch INDEXED BY punch_claimed SET due_at = 0
WHERE state = 'pending' AND due_at IS NOT NULL AND error_code = ? AND in_flight_since IS NULL

-- name: tries
-- How often a check-in was put off.
SELECT attempts, refusals FROM punch WHERE punch_id = ? AND state = 'pending'

-- name: mark_later
-- Not now, and certainly not taken.
UPDATE punch SET
	attempts = attempts + 1, refusals = refusals + 1, error_code = ?, due_at = ?, in_flight_since = NULL
WHERE punch_id = ? AND state = 'pending'

-- name: mark_doubtful
-- No answer: it may have been taken, or still be under way there.
UPDATE punch SET attempts = attempts + 1, error_code = ?, due_at = ?, in_flight_since = ?, recovered = 1
WHERE punch_id = ? AND state = 'pending'

-- name: release
-- Give back one that was not sent now. A doubt from an earlier claim stays, and needs no second wait.
UPDATE punch SET
	in_flight_since = CASE in_doubt WHEN 1 THEN in_flight_since END,
	due_at = CASE in_doubt WHEN 1 THEN 0 END
WHERE punch_id = ? AND state = 'pending' AND in_flight_since IS NOT NULL

-- name: pending
-- How many check-ins are not delivered yet.
SELECT coalesce(sum(punches), 0) FROM tally WHERE state = 'pending'

-- name: oldest
-- The moment of the oldest check-in that is not delivered yet.
SELECT min(occurred_at) FROM punch WHERE state = 'pending'

-- name: in_doubt
-- How many check-ins are at the upstream now, or may have arrived there without our learning it.
SELECT count(*) FROM punch INDEXED BY punch_claimed
WHERE state = 'pending' AND due_at IS NOT NULL AND in_flight_since IS NOT NULL

-- name: held_back
-- How many check-ins wait for their time, or behind an earlier one of the same person that does.
WITH waiting AS (
	SELECT employee, min(occurred_at) AS since FROM punch INDEXED BY punch_claimed
	WHERE state = 'pending' AND due_at IS NOT NULL AND due_at > :now
	GROUP BY employee
)
SELECT (
	SELECT count(*) FROM waiting JOIN punch
		ON punch.employee = waiting.employee AND punch.occurred_at >= waiting.since
	WHERE punch.state = 'pending'
) + (
	-- One without a person waits for itself alone.
	SELECT count(*) FROM punch INDEXED BY punch_claimed
	WHERE state = 'pending' AND due_at IS NOT NULL AND due_at > :now AND employee IS NULL
)

-- name: next_due
-- When the first of the check-ins that wait for their time will be due.
SELECT min(due_at) FROM punch INDEXED BY punch_claimed
WHERE state = 'pending' AND due_at IS NOT NULL AND due_at > :now
