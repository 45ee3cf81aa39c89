-- Every moment is a whole number of microseconds since 1970-01-01 00:00 UTC. Wall times stand beside them as
-- text, because a punch is what the terminal's display showed. Text that is no Unicode (lone surrogates) is
-- held as a BLOB. Look at a file by hand with: datetime(occurred_at / 1000000, 'unixepoch').

-- A punch as it came (up to clock_good_until; never changed afterwards), and what was decided about it since.
CREATE TABLE punch (
	arrival INTEGER PRIMARY KEY,
	punch_id BLOB NOT NULL UNIQUE,
	device_serial TEXT NOT NULL,
	device_user_id TEXT NOT NULL,
	occurred_at INTEGER NOT NULL,
	wall_time TEXT NOT NULL,
	fold INTEGER NOT NULL,
	zone TEXT NOT NULL,
	verify_mode TEXT NOT NULL,
	device_key TEXT NOT NULL,
	raw TEXT NOT NULL,
	received_at INTEGER,
	-- The look at the terminal's clock under which the punch was read: when, and how far it was ahead.
	clock_read_at INTEGER,
	clock_offset INTEGER,
	clock_good_until INTEGER,

	time_approved INTEGER NOT NULL DEFAULT 0,
	state TEXT NOT NULL DEFAULT 'received',
	state_reason TEXT NOT NULL DEFAULT '',
	-- Set while the punch is decided to be somebody's (an echo too).
	employee TEXT,
	-- Set while the punch counts as a passage of that person.
	log_type TEXT,
	log_type_reason TEXT,

	-- The outbox. due_at: not to be claimed before; NULL for one that was never claimed.
	due_at INTEGER,
	-- The last claim after which it may have reached the upstream; NULL when it certainly has not.
	in_flight_since INTEGER,
	-- 1 when an earlier claim than the present one may have delivered it.
	in_doubt INTEGER NOT NULL DEFAULT 0,
	-- 1 when the wait for the upstream was begun anew after the process that claimed it had died.
	recovered INTEGER NOT NULL DEFAULT 0,
	-- Answers "not now"; refusals counts those of them that were certain.
	attempts INTEGER NOT NULL DEFAULT 0,
	refusals INTEGER NOT NULL DEFAULT 0,
	error_code TEXT NOT NULL DEFAULT '',
	reference TEXT NOT NULL DEFAULT ''
);

-- What is to be decided, what is to be sent, what somebody has to look at: oldest first.
CREATE INDEX punch_by_state ON punch (state, occurred_at);

-- One person's day.
CREATE INDEX punch_by_employee ON punch (employee, occurred_at) WHERE employee IS NOT NULL;

-- The few check-ins that were claimed and are not settled; a fresh one is not in it.
CREATE INDEX punch_claimed ON punch (due_at) WHERE state = 'pending' AND due_at IS NOT NULL;

-- How many punches of each terminal are in each state, so that a status page does not read the whole log. New
-- punches are counted by the page (a trigger for each row would cost a third of the speed); every later change
-- is counted by a trigger, so that no statement can forget it.
CREATE TABLE tally (
	device_serial TEXT NOT NULL,
	state TEXT NOT NULL,
	punches INTEGER NOT NULL,
	PRIMARY KEY (device_serial, state)
) WITHOUT ROWID;

CREATE TRIGGER punch_moves_on AFTER UPDATE OF state ON punch WHEN old.state <> new.state BEGIN
	UPDATE tally SET punches = punches - 1 WHERE device_serial = old.device_serial AND state = old.state;
	INSERT INTO tally (device_serial, state, punches) VALUES (new.device_serial, new.state, 1)
		ON CONFLICT (device_serial, state) DO UPDATE SET punches = punches + 1;
END;

CREATE TRIGGER punch_leaves AFTER DELETE ON punch BEGIN
	UPDATE tally SET punches = punches - 1 WHERE device_serial = old.device_serial AND state = old.state;
END;

-- Records of a terminal that should be punches and could not be read as such.
CREATE TABLE unreadable (
	arrival INTEGER PRIMARY KEY,
	row_id BLOB NOT NULL UNIQUE,
	device_serial TEXT NOT NULL,
	raw TEXT NOT NULL,
	reason TEXT NOT NULL,
	received_at INTEGER
);

-- Where reading resumes on each terminal, and the time up to which its punches are vouched for.
CREATE TABLE cursor (
	device_serial TEXT PRIMARY KEY,
	position TEXT NOT NULL DEFAULT '{}',
	watermark INTEGER
) WITHOUT ROWID;

-- What was last known of each terminal, by its name in the configuration.
CREATE TABLE device (
	name TEXT PRIMARY KEY,
	driver TEXT NOT NULL DEFAULT '',
	host TEXT NOT NULL DEFAULT '',
	port INTEGER,
	role TEXT NOT NULL DEFAULT '',
	zone TEXT NOT NULL DEFAULT '',
	serial TEXT NOT NULL DEFAULT '',
	model TEXT NOT NULL DEFAULT '',
	firmware TEXT NOT NULL DEFAULT '',
	punches_held INTEGER,
	punch_capacity INTEGER,
	last_seen_at INTEGER,
	clock_offset INTEGER,
	clock_good_until INTEGER,
	last_pull_at INTEGER,
	last_pull_complete INTEGER,
	last_pull_read INTEGER NOT NULL DEFAULT 0,
	last_pull_new INTEGER NOT NULL DEFAULT 0,
	last_pull_known INTEGER NOT NULL DEFAULT 0,
	last_pull_unreadable INTEGER NOT NULL DEFAULT 0,
	last_error_at INTEGER,
	last_error_code TEXT NOT NULL DEFAULT '',
	last_error_details TEXT NOT NULL DEFAULT '',
	failures INTEGER NOT NULL DEFAULT 0,
	open_until INTEGER
) WITHOUT ROWID;

-- The people as the upstream last listed them, whole.
CREATE TABLE person (
	employee TEXT PRIMARY KEY,
	attendance_device_id TEXT NOT NULL,
	full_name TEXT NOT NULL,
	status TEXT NOT NULL,
	department TEXT NOT NULL,
	designation TEXT NOT NULL,
	company TEXT NOT NULL,
	branch TEXT NOT NULL,
	shift TEXT NOT NULL
) WITHOUT ROWID;

-- One row at the most: when the list of people was last replaced.
CREATE TABLE roster (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	refreshed_at INTEGER NOT NULL
);

-- The local book of check-ins, for a place without any server.
CREATE TABLE check_in (
	entry INTEGER PRIMARY KEY,
	punch_id BLOB NOT NULL UNIQUE,
	employee TEXT NOT NULL,
	log_type TEXT,
	log_type_reason TEXT NOT NULL,
	occurred_at INTEGER NOT NULL,
	wall_time TEXT NOT NULL,
	fold INTEGER NOT NULL,
	zone TEXT NOT NULL,
	device_serial TEXT NOT NULL
);

CREATE INDEX check_in_by_time ON check_in (occurred_at);

-- What the configuration last said of the terminal with a serial number: its punches are decided by that for ever,
-- also when the terminal has been replaced or taken out of the configuration.
CREATE TABLE policy (
	serial TEXT NOT NULL PRIMARY KEY,
	role TEXT NOT NULL,
	user_id_prefix TEXT NOT NULL
) WITHOUT ROWID;
