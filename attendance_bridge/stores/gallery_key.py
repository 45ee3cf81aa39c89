"""Where the key of the gallery lives: never beside the database, and never made without being asked."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from attendance_bridge.core.config import option
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.stores.sealed import GalleryKey

_LONGEST = 4096
_NEXT = ".next"
"""Ends the name of the file that holds the new key while the gallery is locked anew."""


def _check_credential(value: str) -> str:
	if value and (
		not value.isascii() or not value.replace("-", "").replace("_", "").replace(".", "").isalnum()
	):
		raise ValueError("the name of a systemd credential")
	return value


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPlace:
	"""Where to find the key; exactly one of the three."""

	key_file: Path | None = option(
		None,
		help="The file that holds the key of the face templates; in a folder apart from the database, "
		"readable by the user of the agent alone",
	)
	key_env: str = option("", help="The environment variable that holds the key, in base64", max_length=128)
	key_credential: str = option(
		"",
		help="The systemd credential (LoadCredentialEncrypted=) that holds the key",
		max_length=128,
		check=_check_credential,
	)

	def __post_init__(self) -> None:
		if sum(map(bool, (self.key_file, self.key_env, self.key_credential))) != 1:
			raise ValueError("exactly one of key_file, key_env and key_credential")


def read_key(place: KeyPlace, database: Path, environment: Mapping[str, str] = os.environ) -> GalleryKey:
	"""The key at its place.

	:param database: the file that it must not lie beside.
	:raises StoreError: GALLERY_KEY_MISSING, GALLERY_KEY_EXPOSED, GALLERY_KEY_BESIDE_DATABASE, NOT_INSTALLED.
	"""
	if place.key_file is not None:
		return read_key_file(place.key_file, database)
	if place.key_env:
		return _key_of(environment.get(place.key_env, ""), f"${place.key_env}")
	folder = environment.get("CREDENTIALS_DIRECTORY", "")
	named = f"$CREDENTIALS_DIRECTORY/{place.key_credential}"
	if not folder:
		raise StoreError(Code.GALLERY_KEY_MISSING, place=named)
	# systemd makes that folder for this one service, and gives rights by access lists, not by the mode.
	return _key_of(_content(Path(folder) / place.key_credential, named, private=False), named)


def read_key_file(path: Path, database: Path) -> GalleryKey:
	"""The key in a file; see `read_key`."""
	_refuse_beside(path, database)
	return _key_of(_content(path, str(path), private=True), str(path))


def create_key_file(path: Path, database: Path) -> GalleryKey:
	"""Make a new key in a new file, readable by its owner alone. For `Gallery.open`, or `Gallery.rotate`.

	:raises StoreError: GALLERY_KEY_TAKEN, GALLERY_KEY_BESIDE_DATABASE, NOT_INSTALLED, GALLERY_KEY_MISSING
		(the folder cannot be written).
	"""
	_refuse_beside(path, database)
	key = GalleryKey.new()
	try:
		path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
		handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
	except FileExistsError:
		raise StoreError(Code.GALLERY_KEY_TAKEN, place=str(path)) from None
	except OSError as error:
		raise StoreError(Code.GALLERY_KEY_MISSING, place=str(path), cause=error.strerror or "") from None
	with os.fdopen(handle, "w", encoding="ascii") as file:
		file.write(key.text() + "\n")
		file.flush()
		os.fsync(file.fileno())
	_sync_folder(path.parent)
	return key


def next_key_file(path: Path) -> Path:
	"""Where the key that is to follow the one in `path` stands until the gallery is locked with it."""
	return path.with_name(path.name + _NEXT)


def put_next_in_place(path: Path) -> None:
	"""The gallery is locked with the next key now: it takes the place of the one before."""
	next_key_file(path).replace(path)
	_sync_folder(path.parent)


def _refuse_beside(path: Path, database: Path) -> None:
	if database.resolve().parent in path.resolve().parents:
		raise StoreError(Code.GALLERY_KEY_BESIDE_DATABASE, place=str(path))


def _content(path: Path, named: str, *, private: bool) -> str:
	try:
		handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
	except OSError as error:
		raise StoreError(Code.GALLERY_KEY_MISSING, place=named, cause=_reason(error)) from None
	try:
		facts = os.fstat(handle)
		if not stat.S_ISREG(facts.st_mode):
			raise StoreError(Code.GALLERY_KEY_MISSING, place=named)
		if private and (facts.st_mode & 0o077 or facts.st_uid not in (os.geteuid(), 0)):
			raise StoreError(Code.GALLERY_KEY_EXPOSED, place=named)
		content = os.read(handle, _LONGEST)
	finally:
		os.close(handle)
	return content.decode("ascii", "replace")


def _key_of(text: str, named: str) -> GalleryKey:
	try:
		return GalleryKey.from_text(text)
	except ValueError:
		raise StoreError(Code.GALLERY_KEY_MISSING, place=named) from None


def _reason(error: OSError) -> str:
	return error.strerror or errno.errorcode.get(error.errno or 0, "")


def _sync_folder(folder: Path) -> None:
	"""So that the name of the file survives a power cut as its content does."""
	handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
	try:
		os.fsync(handle)
	finally:
		os.close(handle)
