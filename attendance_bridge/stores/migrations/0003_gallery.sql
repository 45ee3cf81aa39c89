-- The gallery of faces. What is sealed is AES-256-GCM with a key that is not in this file: 12 bytes of nonce, then
-- the ciphertext with its tag. See docs/adr/0007-gallery-encryption.md.

CREATE TABLE template (
	template_id BLOB PRIMARY KEY,
	employee TEXT NOT NULL,
	model TEXT NOT NULL,
	pose TEXT NOT NULL,
	quality REAL NOT NULL,
	captured_at INTEGER NOT NULL,
	captured_by TEXT NOT NULL,
	-- 1 when the site holds it too.
	told INTEGER NOT NULL DEFAULT 0,
	vector BLOB NOT NULL
);

-- What the matcher loads: one model, in pages.
CREATE INDEX template_by_model ON template (model, template_id);

CREATE INDEX template_by_employee ON template (employee);

-- The picture that a template was made of, where the company keeps them.
CREATE TABLE template_picture (
	template_id BLOB PRIMARY KEY REFERENCES template (template_id) ON DELETE CASCADE,
	picture BLOB NOT NULL
);

CREATE TABLE consent (
	employee TEXT NOT NULL,
	given_at INTEGER NOT NULL,
	text_version TEXT NOT NULL,
	text_sha256 TEXT NOT NULL,
	withdrawn_at INTEGER,
	PRIMARY KEY (employee, given_at)
) WITHOUT ROWID;

-- Proof of what was erased; nothing biometric, never deleted.
CREATE TABLE erasure (
	erasure_id INTEGER PRIMARY KEY,
	employee TEXT NOT NULL,
	erased_at INTEGER NOT NULL,
	reason TEXT NOT NULL,
	erased_by TEXT NOT NULL,
	templates INTEGER NOT NULL,
	pictures INTEGER NOT NULL,
	ids_sha256 TEXT NOT NULL,
	-- When the write-ahead log had been emptied as well.
	traces_gone_at INTEGER
);

-- One row at the most. key_check: some known text sealed with the key, so that a wrong one is told at once.
-- revision: grows with every change of what can be recognised, so that a copy in memory knows that it is old.
CREATE TABLE gallery (
	only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
	key_check BLOB,
	revision INTEGER NOT NULL
);

INSERT INTO gallery (only_row, key_check, revision) VALUES (1, NULL, 0);
