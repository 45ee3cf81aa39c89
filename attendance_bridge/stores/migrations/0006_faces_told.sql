-- What the site knows of faces, and what it wants erased.

-- 1: it came from the site; 0: it was captured here.
ALTER TABLE template ADD COLUMN received INTEGER NOT NULL DEFAULT 0;

ALTER TABLE consent ADD COLUMN text_language TEXT NOT NULL DEFAULT '';
ALTER TABLE consent ADD COLUMN given_to TEXT NOT NULL DEFAULT '';
-- 1 when the site knows it as it stands.
ALTER TABLE consent ADD COLUMN told INTEGER NOT NULL DEFAULT 0;

-- 1 when the site knows of it, or caused it.
ALTER TABLE erasure ADD COLUMN told INTEGER NOT NULL DEFAULT 0;

-- Templates that newer ones took the place of here, until the site knows. Ids only.
CREATE TABLE template_replaced (
	template_id BLOB PRIMARY KEY
) WITHOUT ROWID;

-- Erasures that the site wanted and that were carried out.
CREATE TABLE site_erasure (
	-- The site's name for it.
	name TEXT PRIMARY KEY,
	erasure_id INTEGER NOT NULL REFERENCES erasure (erasure_id),
	-- 0: the site does not know; 1: it does, but not when the last traces were gone; 2: it knows all.
	told INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
