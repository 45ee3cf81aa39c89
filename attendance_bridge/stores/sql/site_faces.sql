-- name: of_person
-- What is held of somebody, or under one of these ids (a JSON list of hexadecimal digits).
SELECT template_id, employee, model, told, received FROM template
WHERE employee = :employee OR hex(template_id) IN (SELECT value FROM json_each(:ids))

-- name: models_captured
-- The models of templates that were captured here.
SELECT DISTINCT model FROM template WHERE received = 0 ORDER BY model

-- name: people_of_the_site
-- Whoever has templates that the site holds, or has handed on.
SELECT DISTINCT employee FROM template WHERE told = 1

-- name: told
-- The site holds a template that was captured here.
UPDATE template SET told = 1 WHERE template_id = ?

-- name: refused
-- The site does not want a template.
UPDATE template SET told = 2 WHERE template_id = ?

-- name: try_again
-- What the site did not want may be sent again.
UPDATE template SET told = 0 WHERE told = 2

-- name: untell
-- The site keeps none any more: what was captured here has to be told when it does again.
UPDATE template SET told = 0 WHERE received = 0 AND told = 1

-- name: bump
-- What can be recognised has changed.
UPDATE gallery SET revision = revision + 1

-- name: latest_holds
-- Whether what somebody agreed to last holds.
SELECT withdrawn_at IS NULL AS holds FROM consent WHERE employee = :employee ORDER BY given_at DESC LIMIT 1

-- name: recognise_consent
-- The site tells of a consent that was given here; it counts moments in seconds.
UPDATE consent SET told = 1 WHERE employee = :employee AND given_at >= :second AND given_at < :second + 1000000

-- name: put_consent
-- Note a consent that the site tells of.
INSERT INTO consent (employee, given_at, text_version, text_sha256, text_language, given_to, told)
VALUES (:employee, :second, :text_version, :text_sha256, :text_language, :given_to, 1)

-- name: end_consents
-- What somebody agreed to up to a second does not hold any more.
UPDATE consent SET withdrawn_at = max(given_at, :at), told = 1
WHERE employee = :employee AND withdrawn_at IS NULL AND given_at < :at + 1000000

-- name: untold_consents
-- Consents that the site does not know as they stand.
SELECT * FROM consent WHERE told = 0 ORDER BY given_at, employee LIMIT :limit

-- name: consent_told
-- The site knows a consent, unless it was taken back meanwhile.
UPDATE consent SET told = 1 WHERE employee = ? AND given_at = ? AND withdrawn_at IS ?

-- name: captured_until
-- What was captured of somebody up to a second.
SELECT template_id FROM template WHERE employee = :employee AND captured_at < :at + 1000000

-- name: order
-- What was done about an order of the site.
SELECT name FROM site_erasure WHERE name = :name

-- name: tell_again
-- The site asks again: it has not heard.
UPDATE site_erasure SET told = 0 WHERE name = :name

-- name: note_order
-- An order was carried out.
INSERT INTO site_erasure (name, erasure_id) VALUES (:name, :erasure_id)

-- name: unconfirmed
-- Orders that were carried out and the site has not heard all about.
SELECT name, erased_at, templates, traces_gone_at FROM site_erasure
JOIN erasure ON erasure.erasure_id = site_erasure.erasure_id
WHERE site_erasure.told = 0 OR (site_erasure.told = 1 AND traces_gone_at IS NOT NULL)
ORDER BY site_erasure.erasure_id LIMIT :limit

-- name: confirmed
-- The site has heard of an order.
UPDATE site_erasure SET told = ? WHERE name = ?

-- name: untold_acts
-- Erasures for one reason that the site does not know of, the first first.
SELECT * FROM erasure WHERE told = 0 AND reason = :reason ORDER BY erasure_id LIMIT :limit

-- name: act_told
-- The site knows of an erasure.
UPDATE erasure SET told = 1 WHERE erasure_id = ?

-- name: replaced
-- Templates that newer ones took the place of.
SELECT template_id FROM template_replaced LIMIT :limit

-- name: replaced_told
-- The site knows of it.
DELETE FROM template_replaced WHERE template_id = ?
