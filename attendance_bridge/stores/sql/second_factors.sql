-- name: put
-- Hold the hash of a PIN or a badge, in the place of an earlier one.
INSERT INTO second_factor (employee, kind, hash) VALUES (:employee, :kind, :hash)
ON CONFLICT (employee, kind) DO UPDATE SET hash = excluded.hash

-- name: drop
-- Forget everything of a person.
DELETE FROM second_factor WHERE employee = :employee

-- name: find
-- The hash of somebody's PIN or badge.
SELECT hash FROM second_factor WHERE employee = :employee AND kind = :kind

-- name: all
-- Who has what.
SELECT employee, kind FROM second_factor
