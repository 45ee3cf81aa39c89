-- name: add
-- Enter an account, unless there is one of that name.
INSERT INTO account (name, role, password_hash, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING

-- name: remove
-- Take an account out, and its logins with it.
DELETE FROM account WHERE name = ?

-- name: set_password
-- Give an account another password.
UPDATE account SET password_hash = ? WHERE name = ?

-- name: rehash
-- Write the same password down at another cost, unless it was changed meanwhile.
UPDATE account SET password_hash = ? WHERE name = ? AND password_hash = ?

-- name: find
-- One account.
SELECT * FROM account WHERE name = ?

-- name: all
-- Every account.
SELECT * FROM account ORDER BY name

-- name: count
-- How many accounts there are.
SELECT count(*) FROM account

-- name: begin
-- Note a login, if the password that opened it is still the account's.
INSERT INTO login (token_sha256, account, began_at, seen_at, address)
SELECT ?, name, ?, ?, ? FROM account WHERE name = ? AND password_hash = ?

-- name: login
-- The account behind a token.
SELECT account.*, login.began_at, login.seen_at FROM login JOIN account ON account.name = login.account
WHERE token_sha256 = ?

-- name: see
-- Note that a login is in use.
UPDATE login SET seen_at = ? WHERE token_sha256 = ?

-- name: end
-- End a login.
DELETE FROM login WHERE token_sha256 = ?

-- name: end_all
-- End every login of an account.
DELETE FROM login WHERE account = ?

-- name: end_old
-- Drop logins that have ended by themselves.
DELETE FROM login WHERE began_at < ? OR seen_at < ?

-- name: add_key
-- Enter a key, unless there is one of that name.
INSERT INTO api_key (name, key_sha256, scopes, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (name) DO NOTHING

-- name: remove_key
-- Take a key out.
DELETE FROM api_key WHERE name = ?

-- name: find_key
-- The key with a hash.
SELECT * FROM api_key WHERE key_sha256 = ?

-- name: use_key
-- Note that a key is in use.
UPDATE api_key SET used_at = ? WHERE name = ?

-- name: keys
-- Every key.
SELECT * FROM api_key ORDER BY name
