-- name: key_check
-- The known text that was sealed with the key of this gallery.
SELECT key_check FROM gallery

-- name: set_key_check
-- Bind the gallery to a key.
UPDATE gallery SET key_check = ?

-- name: revision
-- Grows with every change of what can be recognised.
SELECT revision FROM gallery

-- name: bump
-- What can be recognised has changed.
UPDATE gallery SET revision = revision + 1

-- name: count
-- How many templates there are.
SELECT count(*) FROM template

-- name: put
-- Hold a template; one that is held already stays as it is.
INSERT INTO template (template_id, employee, model, pose, quality, captured_at, captured_by, told, received, vector)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (template_id) DO NOTHING

-- name: put_picture
-- Hold the picture that a template was made of.
INSERT INTO template_picture (template_id, picture) VALUES (?, ?)
ON CONFLICT (template_id) DO NOTHING

-- name: page
-- Templates of one model, in pages.
SELECT * FROM template WHERE model = :model AND template_id > :after ORDER BY template_id LIMIT :limit

-- name: of_employee
-- The templates of one person, the oldest first.
SELECT * FROM template WHERE employee = :employee ORDER BY captured_at, template_id

-- name: untold
-- Templates that the site does not hold yet, the oldest first.
SELECT * FROM template WHERE told = 0 ORDER BY captured_at, template_id LIMIT :limit

-- name: mark_told
-- The site holds a template.
UPDATE template SET told = 1 WHERE template_id = ?

-- name: picture
-- The picture that a template was made of, with what it is sealed to.
SELECT template.template_id, employee, model, picture
FROM template_picture JOIN template ON template.template_id = template_picture.template_id
WHERE template.template_id = :template_id

-- name: counts
-- How many templates each person has of each model.
SELECT model, employee, count(*) AS templates FROM template GROUP BY model, employee

-- name: note_replaced
-- A newer template took the place of one, which the site may hold.
INSERT INTO template_replaced (template_id) VALUES (?) ON CONFLICT DO NOTHING

-- name: sealed_vectors
-- Everything sealed of templates, in pages.
SELECT template_id, employee, model, vector AS sealed FROM template
WHERE template_id > :after ORDER BY template_id LIMIT :limit

-- name: sealed_pictures
-- Everything sealed of pictures, in pages.
SELECT template.template_id, employee, model, picture AS sealed
FROM template_picture JOIN template ON template.template_id = template_picture.template_id
WHERE template_picture.template_id > :after ORDER BY template_picture.template_id LIMIT :limit

-- name: lock_vector_anew
-- Take a vector sealed with another key for the one held.
UPDATE template SET vector = ? WHERE template_id = ?

-- name: lock_picture_anew
-- Take a picture sealed with another key for the one held.
UPDATE template_picture SET picture = ? WHERE template_id = ?

-- name: erased_here_since
-- Whether somebody took their consent back, or was erased, at this machine. What a site wants erased has its own
-- moment, and the site decides about what is captured after it.
SELECT 1 FROM erasure WHERE employee = :employee AND reason IN ('withdrawn', 'asked')
AND erased_by <> 'site' AND erased_at >= :since LIMIT 1
