-- Who may use the agent's pages, what they did, and what they say of punches.

-- Password hashes carry their own salt and cost.
CREATE TABLE account (
	name TEXT PRIMARY KEY,
	role TEXT NOT NULL,
	password_hash TEXT NOT NULL,
	created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- A login. Of its token only the SHA-256 is held.
CREATE TABLE login (
	token_sha256 BLOB PRIMARY KEY,
	account TEXT NOT NULL REFERENCES account (name) ON DELETE CASCADE,
	began_at INTEGER NOT NULL,
	seen_at INTEGER NOT NULL,
	address TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX login_by_account ON login (account);

-- A key for a program. Of the key only the SHA-256 is held; scopes are separated by blanks.
CREATE TABLE api_key (
	name TEXT PRIMARY KEY,
	key_sha256 BLOB NOT NULL UNIQUE,
	scopes TEXT NOT NULL,
	created_at INTEGER NOT NULL,
	used_at INTEGER
) WITHOUT ROWID;

-- Every change and every refused login; never changed, never deleted.
CREATE TABLE audit (
	entry INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,
	who TEXT NOT NULL,
	address TEXT NOT NULL,
	act TEXT NOT NULL,
	subject TEXT NOT NULL,
	details TEXT NOT NULL
);

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN
	SELECT RAISE(ABORT, 'the audit log is never changed');
END;

CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit BEGIN
	SELECT RAISE(ABORT, 'the audit log is never changed');
END;

-- What somebody says of a punch; the punch itself stays. The last one of a punch counts.
CREATE TABLE correction (
	correction INTEGER PRIMARY KEY,
	punch_id BLOB NOT NULL REFERENCES punch (punch_id) ON DELETE CASCADE,
	kind TEXT NOT NULL,
	why TEXT NOT NULL,
	made_by TEXT NOT NULL,
	made_at INTEGER NOT NULL,
	-- What it did to the check-in at that time.
	effect TEXT NOT NULL
);

CREATE INDEX correction_by_punch ON correction (punch_id, correction);

CREATE TRIGGER correction_stays BEFORE UPDATE ON correction BEGIN
	SELECT RAISE(ABORT, 'a correction is never changed');
END;

-- The pages look for punches by time and by person.
CREATE INDEX punch_by_time ON punch (occurred_at, punch_id);
