"""Not a byte of a face lies readable in any file, and after an erasure not even a sealed one."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from attendance_bridge.core.consent import ErasureReason
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.sealed import GalleryKey
from attendance_bridge.stores.site_faces import SiteFaces
from tests.stores.faces import MODEL, NOW, consent, page, person, template

pytest.importorskip("cryptography")

LATER = NOW + timedelta(hours=1)
PICTURE = random.Random(5).randbytes(9_000)
PIECES = 6
"""Of one secret that are searched for, from its beginning to its end."""
PIECE = 32
"""Bytes. Long enough never to occur by chance, short enough to see the rest of something cut up."""


def everything_in(folder: Path) -> dict[str, bytes]:
	"""All files that SQLite made, with the write-ahead log and the shared memory, and a fresh backup."""
	backup = folder / "backup"
	backup.unlink(missing_ok=True)
	with closing(sqlite3.connect(folder / "bridge.db")) as source, closing(sqlite3.connect(backup)) as copy:
		source.backup(copy)
	return {file.name: file.read_bytes() for file in folder.iterdir()}


def traces(folder: Path, *secrets: bytes) -> list[str]:
	"""The files that hold any piece of any of these."""
	files = everything_in(folder)
	pieces = [
		secret[start : start + PIECE]
		for secret in secrets
		for start in range(0, len(secret) - PIECE, max(PIECE, len(secret) // PIECES))
	]
	return [name for name, content in files.items() if any(piece in content for piece in pieces)]


def sealed(db: Database) -> dict[bytes, list[bytes]]:
	"""What is sealed in the rows, by template_id."""
	found: dict[bytes, list[bytes]] = {}
	with db.read() as connection:
		for table, column in (("template", "vector"), ("template_picture", "picture")):
			for row in connection.execute(f"SELECT template_id, {column} FROM {table}"):
				found.setdefault(row[0], []).append(row[1])
	return found


def opened(db: Database) -> Gallery:
	Consents(db).give([consent(f"HR-EMP-{number}") for number in range(1, 4)])
	return Gallery.open(db, GalleryKey.new(), now=lambda: NOW, keep_pictures=True)


def test_no_vector_and_no_picture_can_be_read(db: Database) -> None:
	templates = [template(seed, f"HR-EMP-{seed % 3 + 1}") for seed in range(12)]
	opened(db).add(templates, pictures={each.template_id: PICTURE for each in templates})
	secrets = [PICTURE, *(each.vector for each in templates)]
	assert traces(db.path.parent, *secrets) == []
	# The same search finds what is really there.
	assert "bridge.db-wal" in traces(db.path.parent, *sealed(db)[templates[0].template_id.bytes])
	assert "backup" in traces(db.path.parent, *sealed(db)[templates[0].template_id.bytes])


def test_a_search_finds_a_vector_that_lies_open(db: Database) -> None:
	with db.write() as connection:
		connection.execute(
			"INSERT INTO erasure VALUES (1, ?, 0, '', '', 0, 0, '', 0, 0)", (template(1).vector,)
		)
	assert set(traces(db.path.parent, template(1).vector)) == {"bridge.db-wal", "backup"}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dimension", [128, 512])
def test_after_an_erasure_nothing_is_left_of_what_was_sealed(db: Database, seed: int, dimension: int) -> None:
	"""Rows come and go at random, so that pages are split, merged and used again."""
	chance = random.Random(seed)
	gallery = opened(db)
	gone: list[bytes] = []
	for step in range(6):
		added = [
			template(1000 * seed + 100 * step + each, f"HR-EMP-{chance.randrange(1, 4)}", dimension=dimension)
			for each in range(24)
		]
		pictures = {each.template_id: PICTURE[: chance.randrange(500, 9_000)] for each in added[::5]}
		gallery.add(added, pictures=pictures)
		before = sealed(db)
		Erasures(db).remove(f"HR-EMP-{chance.randrange(1, 4)}", ErasureReason.ASKED, by="hr", at=LATER)
		left = sealed(db).keys()
		gone += [each for key, secrets in before.items() if key not in left for each in secrets]
		assert traces(db.path.parent, *gone) == []
	assert len(gone) > 60
	assert all(record.traces_gone_at == LATER for record in Erasures(db).records())


def test_what_the_site_drops_and_another_key_leave_no_traces(db: Database) -> None:
	gallery = opened(db)
	faces = SiteFaces(db, gallery)
	faces.take(page(person("HR-EMP-1", *range(50))), NOW, models=[MODEL])
	before = sealed(db)
	faces.take(page(person("HR-EMP-1", *range(20))), NOW, models=[MODEL])
	gone = [each for key, secrets in before.items() if key not in sealed(db) for each in secrets]
	assert len(gone) == 30
	assert traces(db.path.parent, *gone) == []
	old = [each for secrets in sealed(db).values() for each in secrets]
	assert gallery.rotate(GalleryKey.new())
	assert traces(db.path.parent, *old) == []


def test_a_reader_that_holds_it_up_is_waited_out(tmp_path: Path) -> None:
	key = GalleryKey.new()
	with Database.open(tmp_path / "bridge.db", busy_timeout=timedelta(milliseconds=50)) as db:
		Consents(db).give([consent()])
		gallery = Gallery.open(db, key, now=lambda: NOW)
		gallery.add([template(1)])
		gone = sealed(db)[template(1).template_id.bytes]
		with closing(sqlite3.connect(db.path, isolation_level=None)) as reader:
			reader.execute("BEGIN")
			reader.execute("SELECT count(*) FROM template").fetchone()
			erasure = Erasures(db).remove("HR-EMP-1", ErasureReason.ASKED, by="hr", at=NOW)
			assert erasure is not None
			assert erasure.traces_gone_at is None
			assert not Erasures(db).finish(NOW)
		assert list(gallery.all(template(1).model)) == []
		assert traces(tmp_path, *gone) != []
		Gallery.open(db, key, now=lambda: LATER)
		assert traces(tmp_path, *gone) == []
		assert [each.traces_gone_at for each in Erasures(db).records()] == [LATER]
