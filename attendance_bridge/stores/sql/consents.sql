-- name: give
-- Note a consent; one that was taken back stays so.
INSERT INTO consent (employee, given_at, text_version, text_sha256, withdrawn_at, text_language, given_to)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (employee, given_at) DO UPDATE SET
	withdrawn_at = coalesce(withdrawn_at, excluded.withdrawn_at),
	told = told AND (withdrawn_at IS NOT NULL OR excluded.withdrawn_at IS NULL)

-- name: withdraw
-- Take back whatever somebody agreed to.
UPDATE consent SET withdrawn_at = :at, told = 0 WHERE employee = :employee AND withdrawn_at IS NULL

-- name: latest
-- What somebody agreed to last.
SELECT * FROM consent WHERE employee = :employee ORDER BY given_at DESC LIMIT 1

-- name: holding
-- Everybody whose latest consent holds.
SELECT employee FROM consent AS latest WHERE withdrawn_at IS NULL
AND given_at = (SELECT max(given_at) FROM consent WHERE employee = latest.employee)
