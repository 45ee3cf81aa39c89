-- name: write
-- Note what somebody did.
INSERT INTO audit (at, who, address, act, subject, details) VALUES (?, ?, ?, ?, ?, ?)

-- name: latest
-- What was done last, first.
SELECT * FROM audit WHERE :before IS NULL OR entry < :before ORDER BY entry DESC LIMIT :limit
