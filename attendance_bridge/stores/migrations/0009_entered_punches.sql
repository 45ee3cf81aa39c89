-- Punches that somebody entered by hand, because no terminal has seen them. Each is a punch like any other; who entered
-- it, when, why, and whether it was withdrawn stands in its corrections.
CREATE TABLE entered_punch (
	punch_id BLOB PRIMARY KEY REFERENCES punch (punch_id) ON DELETE CASCADE,
	employee TEXT NOT NULL,
	occurred_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE INDEX entered_punch_by_employee ON entered_punch (employee, occurred_at);

CREATE TRIGGER entered_punch_stays BEFORE UPDATE ON entered_punch BEGIN
	SELECT RAISE(ABORT, 'that a punch was entered by hand is never changed');
END;

-- Each with what was last said of it, and with who entered it last. Withdrawn is what is said to be no check-in.
CREATE VIEW entry_by_hand AS SELECT
	punch.punch_id, punch.state, punch.log_type, punch.wall_time, punch.fold, punch.zone,
	entered_punch.occurred_at, entered_punch.employee,
	entry.kind, entry.why, entry.made_by, entry.made_at,
	last.kind AS last_kind, last.why AS last_why, last.made_by AS last_by, last.made_at AS last_at
FROM entered_punch JOIN punch ON punch.punch_id = entered_punch.punch_id
JOIN correction AS entry ON entry.correction = (
	SELECT max(said.correction) FROM correction AS said
	WHERE said.punch_id = entered_punch.punch_id AND said.kind IN ('set_in', 'set_out')
)
JOIN correction AS last ON last.correction = (
	SELECT max(said.correction) FROM correction AS said
	WHERE said.punch_id = entered_punch.punch_id AND said.kind IN ('set_in', 'set_out', 'ignore', 'as_decided')
);
