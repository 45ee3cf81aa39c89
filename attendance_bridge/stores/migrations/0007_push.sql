-- Terminals that push by themselves: who waits to be let in, who was, what each is given and told to do.

-- A serial number that called. state: waiting, approved, refused. What the configuration or the site lets in
-- stands here too, once it has called; then state is 'configured'.
CREATE TABLE push_terminal (
	serial TEXT PRIMARY KEY,
	state TEXT NOT NULL,
	dialect TEXT NOT NULL DEFAULT '',
	peer TEXT NOT NULL DEFAULT '',
	model TEXT NOT NULL DEFAULT '',
	firmware TEXT NOT NULL DEFAULT '',
	mac TEXT NOT NULL DEFAULT '',
	calls INTEGER NOT NULL DEFAULT 0,
	first_seen_at INTEGER NOT NULL,
	last_seen_at INTEGER NOT NULL,

	-- What somebody said when letting it in.
	name TEXT NOT NULL DEFAULT '',
	zone TEXT NOT NULL DEFAULT '',
	role TEXT NOT NULL DEFAULT '',
	user_id_prefix TEXT NOT NULL DEFAULT '',
	decided_by TEXT NOT NULL DEFAULT '',
	decided_at INTEGER,

	-- What a terminal of Security PUSH was given.
	registry_code TEXT NOT NULL DEFAULT '',
	session_id TEXT NOT NULL DEFAULT '',

	sightings TEXT NOT NULL DEFAULT '',
	is_twin INTEGER NOT NULL DEFAULT 0,
	cannot_decrypt INTEGER NOT NULL DEFAULT 0,
	-- The UTC offset in minutes that it was last told.
	told_offset INTEGER
) WITHOUT ROWID;

-- Up to where a terminal has sent a table, in its own words.
CREATE TABLE push_stamp (
	serial TEXT NOT NULL,
	push_table TEXT NOT NULL,
	value TEXT NOT NULL,
	PRIMARY KEY (serial, push_table)
) WITHOUT ROWID;

-- What was acknowledged and not kept.
CREATE TABLE push_dropped (
	serial TEXT NOT NULL,
	kind TEXT NOT NULL,
	number INTEGER NOT NULL,
	PRIMARY KEY (serial, kind)
) WITHOUT ROWID;

-- Commands for terminals. state: queued, sent, done, failed.
CREATE TABLE push_command (
	command INTEGER PRIMARY KEY AUTOINCREMENT,
	serial TEXT NOT NULL,
	text TEXT NOT NULL,
	state TEXT NOT NULL DEFAULT 'queued',
	queued_by TEXT NOT NULL,
	queued_at INTEGER NOT NULL,
	sent_at INTEGER,
	attempts INTEGER NOT NULL DEFAULT 0,
	ended_at INTEGER,
	code INTEGER,
	said TEXT NOT NULL DEFAULT ''
);

CREATE INDEX push_command_open ON push_command (serial, command) WHERE state IN ('queued', 'sent');
