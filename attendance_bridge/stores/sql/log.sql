-- name: search
-- A page of the log, the latest punches first, each with what was last said of it.
SELECT
	punch.*, entered_punch.employee AS entered_for, correction.kind AS correction_kind, correction.why AS correction_why,
	correction.made_by AS correction_by, correction.made_at AS correction_at,
	correction.effect AS correction_effect
FROM punch LEFT JOIN entered_punch ON entered_punch.punch_id = punch.punch_id
LEFT JOIN correction ON correction.correction = (
	SELECT max(said.correction) FROM correction AS said WHERE said.punch_id = punch.punch_id
)
WHERE punch.occurred_at >= :since AND punch.occurred_at < :until
	AND (punch.occurred_at, punch.punch_id) < (:before_at, :before_id)
	AND (:state IS NULL OR state = :state)
	AND (:employee IS NULL OR punch.employee = :employee OR entered_punch.employee = :employee)
	AND (:device_serial IS NULL OR device_serial = :device_serial)
	AND (:device_user_id IS NULL OR device_user_id = :device_user_id)
ORDER BY punch.occurred_at DESC, punch.punch_id DESC LIMIT :limit

-- name: find
-- One punch, with what was last said of it.
SELECT
	punch.*, entered_punch.employee AS entered_for, correction.kind AS correction_kind, correction.why AS correction_why,
	correction.made_by AS correction_by, correction.made_at AS correction_at,
	correction.effect AS correction_effect
FROM punch LEFT JOIN entered_punch ON entered_punch.punch_id = punch.punch_id
LEFT JOIN correction ON correction.correction = (
	SELECT max(said.correction) FROM correction AS said WHERE said.punch_id = punch.punch_id
)
WHERE punch.punch_id = :punch_id
