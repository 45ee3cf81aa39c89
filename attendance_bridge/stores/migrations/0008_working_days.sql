-- What was agreed with people for their working days, where no site keeps it. Dates are those of the agent's place,
-- as text (2026-03-02).

-- Somebody works a shift from one date to another. A later row takes the place of earlier ones on its dates.
CREATE TABLE shift_assignment (
	assignment INTEGER PRIMARY KEY,
	employee TEXT NOT NULL,
	shift TEXT NOT NULL,
	first_day TEXT NOT NULL,
	-- NULL: until further notice.
	last_day TEXT,
	-- 1: it does not; it is worked besides.
	besides INTEGER NOT NULL,
	made_by TEXT NOT NULL,
	made_at INTEGER NOT NULL
);

CREATE INDEX shift_assignment_by_employee ON shift_assignment (employee);

-- What somebody says of one day of a person: leave, off, present.
CREATE TABLE day_mark (
	employee TEXT NOT NULL,
	day TEXT NOT NULL,
	kind TEXT NOT NULL,
	why TEXT NOT NULL,
	made_by TEXT NOT NULL,
	made_at INTEGER NOT NULL,
	PRIMARY KEY (employee, day)
) WITHOUT ROWID;
