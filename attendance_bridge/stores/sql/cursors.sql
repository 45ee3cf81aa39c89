-- name: load
-- Where reading resumes on a terminal.
SELECT position FROM cursor WHERE device_serial = ?

-- name: save
-- Move the place where reading resumes.
INSERT INTO cursor (device_serial, position) VALUES (?, ?)
ON CONFLICT (device_serial) DO UPDATE SET position = excluded.position

-- name: vouch
-- Move a watermark; it never goes back.
INSERT INTO cursor (device_serial, watermark) VALUES (?, ?)
ON CONFLICT (device_serial) DO UPDATE SET watermark = max(coalesce(watermark, excluded.watermark), excluded.watermark)

-- name: watermark
-- The watermark of one terminal.
SELECT watermark FROM cursor WHERE device_serial = ?

-- name: watermarks
-- The watermarks of all terminals that have one.
SELECT device_serial, watermark FROM cursor WHERE watermark IS NOT NULL
