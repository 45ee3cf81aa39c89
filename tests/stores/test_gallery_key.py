from __future__ import annotations

import os
import pickle
import shutil
import sys
from pathlib import Path

import pytest

from attendance_bridge.core.config import parse
from attendance_bridge.core.errors import Code, ConfigError, StoreError
from attendance_bridge.stores import gallery_key
from attendance_bridge.stores.consents import Consents
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.gallery import Gallery, create_key, key_in_file, rotate_key_file
from attendance_bridge.stores.gallery_key import KeyPlace, create_key_file, next_key_file, read_key
from attendance_bridge.stores.sealed import BrokenSealError, GalleryKey, about
from tests.stores.faces import MODEL, NOW, consent, template

pytest.importorskip("cryptography")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
	return tmp_path.parent / f"{tmp_path.name}-keys" / "gallery.key"


@pytest.fixture
def database(tmp_path: Path) -> Path:
	return tmp_path / "bridge.db"


def refused(place: KeyPlace, database: Path, environment: dict[str, str] | None = None) -> Code:
	with pytest.raises(StoreError) as raised:
		read_key(place, database, environment or {})
	assert "=" not in str(raised.value.details["place"])
	return raised.value.code


# the key itself


def test_what_is_sealed_opens_with_the_same_key_about_the_same_thing_only() -> None:
	key = GalleryKey.new()
	sealed = key.seal(b"plain", b"about")
	assert key.open(sealed, b"about") == b"plain"
	assert GalleryKey.from_text(key.text()).open(sealed, b"about") == b"plain"
	flipped = bytes([*sealed[:-1], sealed[-1] ^ 1])
	for other, data, what in (
		(GalleryKey.new(), sealed, b"about"),
		(key, sealed, b"else"),
		(key, flipped, b"about"),
	):
		with pytest.raises(BrokenSealError):
			other.open(data, what)


def test_the_same_bytes_are_sealed_differently_every_time() -> None:
	key = GalleryKey.new()
	assert len({key.seal(b"same", b"") for _ in range(100)}) == 100
	assert len({key.seal(b"same", b"")[:12] for _ in range(100)}) == 100


def test_a_known_seal_opens() -> None:
	# NIST's test case 14 of AES-256-GCM: key, nonce and plain text of zeros.
	sealed = bytes(12) + bytes.fromhex("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919")
	assert GalleryKey(bytes(32)).open(sealed, b"") == bytes(16)


def test_parts_cannot_be_moved_into_one_another() -> None:
	assert about(b"ab", b"c") != about(b"a", b"bc")


def test_a_key_is_not_given_away() -> None:
	key = GalleryKey.new()
	for shown in (repr(key), str(key), f"{key}"):
		assert key.text()[:8] not in shown
	with pytest.raises(TypeError, match="pickled"):
		pickle.dumps(key)


@pytest.mark.parametrize("text", ["", "no base64!", "QUJD", "A" * 64])
def test_what_is_no_key_is_refused_without_repeating_it(text: str) -> None:
	with pytest.raises(ValueError, match=r"base64|32 bytes") as raised:
		GalleryKey.from_text(text)
	assert not text or text not in str(raised.value)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
	with pytest.raises(StoreError) as raised:
		GalleryKey.new()
	assert raised.value.code is Code.NOT_INSTALLED


# its place


def test_a_new_key_is_in_a_file_of_its_owner_alone(key_file: Path, database: Path) -> None:
	key = create_key_file(key_file, database)
	assert key_file.stat().st_mode & 0o777 == 0o600
	assert key_file.parent.stat().st_mode & 0o777 == 0o700
	assert read_key(KeyPlace(key_file=key_file), database).text() == key.text()


def test_a_key_is_never_written_over(key_file: Path, database: Path) -> None:
	key = create_key_file(key_file, database)
	with pytest.raises(StoreError) as raised:
		create_key_file(key_file, database)
	assert raised.value.code is Code.GALLERY_KEY_TAKEN
	assert key_file.read_text().strip() == key.text()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o601])
def test_a_key_that_others_can_reach_is_refused(key_file: Path, database: Path, mode: int) -> None:
	create_key_file(key_file, database)
	key_file.chmod(mode)
	assert refused(KeyPlace(key_file=key_file), database) is Code.GALLERY_KEY_EXPOSED


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_key_that_is_anothers_is_refused(key_file: Path, database: Path) -> None:
	create_key_file(key_file, database)
	os.chown(key_file, 1234, -1)
	assert refused(KeyPlace(key_file=key_file), database) is Code.GALLERY_KEY_EXPOSED


@pytest.mark.parametrize("name", ["gallery.key", "keys/gallery.key", "../{folder}/gallery.key"])
def test_a_key_beside_the_database_is_refused(tmp_path: Path, database: Path, name: str) -> None:
	beside = tmp_path / name.format(folder=tmp_path.name)
	with pytest.raises(StoreError) as raised:
		create_key_file(beside, database)
	assert raised.value.code is Code.GALLERY_KEY_BESIDE_DATABASE
	assert not beside.exists()
	assert refused(KeyPlace(key_file=beside), database) is Code.GALLERY_KEY_BESIDE_DATABASE


def test_a_link_to_a_key_beside_the_database_is_seen_through(
	tmp_path: Path, key_file: Path, database: Path
) -> None:
	create_key_file(key_file, database)
	shutil.copy(key_file, tmp_path / "copy.key")
	link = key_file.with_name("link.key")
	link.symlink_to(tmp_path / "copy.key")
	assert refused(KeyPlace(key_file=link), database) is Code.GALLERY_KEY_BESIDE_DATABASE


def test_what_is_no_key_file_is_no_key(key_file: Path, database: Path) -> None:
	assert refused(KeyPlace(key_file=key_file), database) is Code.GALLERY_KEY_MISSING
	key_file.parent.mkdir()
	assert refused(KeyPlace(key_file=key_file.parent), database) is Code.GALLERY_KEY_MISSING
	os.mkfifo(key_file, 0o600)
	assert refused(KeyPlace(key_file=key_file), database) is Code.GALLERY_KEY_MISSING
	key_file.unlink()
	for content in (b"", b"\xff\xfe", b"A" * 100_000):
		key_file.write_bytes(content)
		key_file.chmod(0o600)
		assert refused(KeyPlace(key_file=key_file), database) is Code.GALLERY_KEY_MISSING


def test_a_key_in_the_environment(database: Path) -> None:
	key = GalleryKey.new()
	place = KeyPlace(key_env="GALLERY_KEY")
	assert read_key(place, database, {"GALLERY_KEY": key.text()}).text() == key.text()
	assert refused(place, database) is Code.GALLERY_KEY_MISSING
	assert refused(place, database, {"GALLERY_KEY": "wrong"}) is Code.GALLERY_KEY_MISSING


def test_a_key_as_a_systemd_credential(tmp_path: Path, database: Path) -> None:
	key = GalleryKey.new()
	place = KeyPlace(key_credential="gallery-key")
	(tmp_path / "gallery-key").write_text(key.text())
	(tmp_path / "gallery-key").chmod(0o440)
	assert read_key(place, database, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).text() == key.text()
	assert refused(place, database) is Code.GALLERY_KEY_MISSING
	assert refused(place, database, {"CREDENTIALS_DIRECTORY": "/nowhere"}) is Code.GALLERY_KEY_MISSING


@pytest.mark.parametrize(
	"table",
	[
		{},
		{"key_env": "A", "key_file": "/b"},
		{"key_credential": "../etc"},
		{"key_credential": "a/b"},
		{"key": "x"},
	],
)
def test_a_place_is_exactly_one(table: dict[str, object]) -> None:
	with pytest.raises(ConfigError):
		parse(KeyPlace, table, secrets=lambda _kind, _reference: "", path="gallery")


# making and changing it


def filled(db: Database, key: GalleryKey) -> Gallery:
	Consents(db).give([consent()])
	gallery = Gallery.open(db, key, now=lambda: NOW)
	gallery.add([template(1), template(2)])
	return gallery


def test_a_key_is_not_made_for_a_gallery_that_another_one_opens(db: Database, key_file: Path) -> None:
	filled(db, create_key(db, key_file))
	another = key_file.with_name("another.key")
	with pytest.raises(StoreError) as raised:
		create_key(db, another)
	assert raised.value.code is Code.GALLERY_KEY_TAKEN
	assert not another.exists()


def test_a_key_can_be_made_anew_while_nothing_is_held(db: Database, key_file: Path) -> None:
	Gallery.open(db, create_key(db, key_file), now=lambda: NOW)
	key_file.unlink()
	Gallery.open(db, create_key(db, key_file), now=lambda: NOW)


def held(db: Database, key_file: Path) -> int:
	return len(list(Gallery.open(db, key_in_file(db, key_file), now=lambda: NOW).all(MODEL)))


def test_a_key_file_is_rotated(db: Database, key_file: Path) -> None:
	old = create_key(db, key_file)
	filled(db, old)
	assert rotate_key_file(db, key_file, now=lambda: NOW)
	assert key_file.read_text().strip() != old.text()
	assert key_file.stat().st_mode & 0o777 == 0o600
	assert [file.name for file in key_file.parent.iterdir()] == ["gallery.key"]
	assert held(db, key_file) == 2


def test_a_rotation_that_broke_off_before_it_locked_is_undone(db: Database, key_file: Path) -> None:
	filled(db, create_key(db, key_file))
	create_key_file(next_key_file(key_file), db.path)
	assert held(db, key_file) == 2
	assert not next_key_file(key_file).exists()


def test_a_rotation_that_broke_off_while_the_key_was_written_is_undone(db: Database, key_file: Path) -> None:
	filled(db, create_key(db, key_file))
	next_key_file(key_file).touch(mode=0o600)
	assert rotate_key_file(db, key_file, now=lambda: NOW)
	assert held(db, key_file) == 2


def test_a_rotation_that_broke_off_after_it_locked_is_finished(
	db: Database, key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	filled(db, create_key(db, key_file))

	def power_cut(path: Path) -> None:
		raise SystemExit

	with monkeypatch.context() as cut:
		cut.setattr("attendance_bridge.stores.gallery.put_next_in_place", power_cut)
		with pytest.raises(SystemExit):
			rotate_key_file(db, key_file, now=lambda: NOW)
	assert gallery_key.next_key_file(key_file).exists()
	assert held(db, key_file) == 2
	assert not next_key_file(key_file).exists()
