-- name: ids_of
-- The templates of somebody.
SELECT template_id FROM template WHERE employee = :employee

-- name: everybody
-- Whoever has templates.
SELECT DISTINCT employee FROM template

-- name: delete_picture
-- Delete the picture that a template was made of.
DELETE FROM template_picture WHERE template_id = ?

-- name: delete_template
-- Delete a template.
DELETE FROM template WHERE template_id = ?

-- name: write_down
-- Note what was erased.
INSERT INTO erasure (employee, erased_at, reason, erased_by, templates, pictures, ids_sha256, told)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)

-- name: bump
-- What can be recognised has changed.
UPDATE gallery SET revision = revision + 1

-- name: forget_key
-- No template is locked with any key now.
UPDATE gallery SET key_check = NULL

-- name: last_unfinished
-- The last erasure whose traces may still be in the write-ahead log.
SELECT max(erasure_id) FROM erasure WHERE traces_gone_at IS NULL

-- name: finish
-- The traces of all erasures up to one are gone.
UPDATE erasure SET traces_gone_at = :at WHERE traces_gone_at IS NULL AND erasure_id <= :last

-- name: records
-- What was erased, the last first.
SELECT * FROM erasure WHERE :employee IS NULL OR employee = :employee
ORDER BY erasure_id DESC LIMIT :limit OFFSET :offset
