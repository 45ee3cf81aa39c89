"""The gallery: the templates that faces are compared with, each under lock in its row.

What is sealed is bound to its template, its person and its model: a row that takes over another's bytes does
not open. A row that does not open is left out and told by `damaged`; it keeps nobody else from being known.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from uuid import UUID

from attendance_bridge.core.consent import Consent, ErasureReason
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.core.template import Pose, Template
from attendance_bridge.stores import consents, erasures
from attendance_bridge.stores.columns import micros, moment, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from attendance_bridge.stores.gallery_key import (
	create_key_file,
	next_key_file,
	put_next_in_place,
	read_key_file,
)
from attendance_bridge.stores.queries import load
from attendance_bridge.stores.sealed import BrokenSealError, GalleryKey, about

logger = logging.getLogger(__name__)

_SQL = load("gallery")

_PURPOSE = b"attendance_bridge gallery 1"
_VECTOR, _PICTURE = b"vector", b"picture"
_PAGE = 500
_FIRST = b""
_NO_PICTURES: Mapping[UUID, bytes] = MappingProxyType({})
MAX_PICTURE = 2 * 1024 * 1024
"""Bytes of an enrolment picture at most."""


class Gallery:
	"""An opened gallery. Safe to use from any thread; every method may raise `StoreError`."""

	def __init__(self, db: Database, key: GalleryKey, *, keep_pictures: bool, consent_required: bool) -> None:
		self._db = db
		self._key = key
		self._keep_pictures = keep_pictures
		self.consent_required = consent_required

	@classmethod
	def open(
		cls,
		db: Database,
		key: GalleryKey,
		*,
		now: Callable[[], datetime],
		keep_pictures: bool = False,
		consent_required: bool = True,
	) -> Gallery:
		"""Open the gallery in a database; the first key that opens it is the one that it is bound to.

		:param now: asked once, to note when erasures that were held up were finished; aware.
		:param keep_pictures: whether enrolment pictures are kept, so that a new model needs no new enrolment.
		:param consent_required: False only where the law lets the company go without.
		:raises StoreError: GALLERY_KEY_WRONG.
		"""
		with db.write() as connection:
			check = connection.execute(_SQL["key_check"]).fetchone()["key_check"]
			if check is None:
				connection.execute(_SQL["set_key_check"], (_key_check(key),))
			elif not _opens(key, check):
				raise StoreError(Code.GALLERY_KEY_WRONG, path=str(db.path))
		Erasures(db).finish(now())
		return cls(db, key, keep_pictures=keep_pictures, consent_required=consent_required)

	def add(self, templates: Iterable[Template], *, pictures: Mapping[UUID, bytes] = _NO_PICTURES) -> int:
		"""Hold templates that were captured here; returns how many are new. All of them, or none.

		:param pictures: the picture (JPEG) that a template was made of, by template_id; dropped
			unless they are kept.
		:raises StoreError: CONSENT_MISSING, with `employee`.
		:raises ValueError: a picture of more than MAX_PICTURE bytes.
		"""
		with self._db.write() as connection:
			return self._hold(connection, list(templates), pictures)

	def enrol(
		self,
		templates: Iterable[Template],
		consent: Consent | None,
		*,
		replace: bool,
		by: str,
		at: datetime,
		pictures: Mapping[UUID, bytes] = _NO_PICTURES,
	) -> int:
		"""Note a consent and hold what was captured under it, or nothing; returns how many were erased.

		:param replace: whether the person's former templates of this model are erased.
		:param by: for the record of what is erased.
		:raises StoreError: CONSENT_MISSING, with `employee`; also when they were erased here, or the consent
			was taken back, after it was given: while they stood before the camera.
		:raises ValueError: templates of several people or models; a picture of more than MAX_PICTURE bytes.
		"""
		added = list(templates)
		((employee, model),) = {(each.employee, each.model) for each in added}
		with self._db.write() as connection:
			if consent is not None:
				_refuse_if_erased_since(connection, consent)
				consents.note(connection, [consent])
			former = self._ids(connection, employee, model) if replace else []
			if former:
				erasures.erase(connection, employee, former, ErasureReason.REPLACED, by=by, at=at)
				connection.executemany(_SQL["note_replaced"], [(each.bytes,) for each in former])
			self._hold(connection, added, pictures)
		if former:
			Erasures(self._db).finish(at)
		return len(former)

	def all(self, model: str) -> Iterator[Template]:
		"""Every template of one model, by id, a page at a time; see `revision`."""
		after = _FIRST
		while True:
			wanted = {"model": text_in(model), "after": after, "limit": _PAGE}
			with self._db.read() as connection:
				rows = connection.execute(_SQL["page"], wanted).fetchall()
			yield from self._opened(rows)
			if len(rows) < _PAGE:
				return
			after = rows[-1]["template_id"]

	def by_employee(self, employee: str) -> list[Template]:
		"""The templates of one person, of all models, the oldest first."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["of_employee"], {"employee": text_in(employee)}).fetchall()
		return list(self._opened(rows))

	def picture(self, template_id: UUID) -> bytes | None:
		"""The picture (JPEG) that a template was made of; None if it was not kept.

		:raises StoreError: TEMPLATE_DAMAGED.
		"""
		with self._db.read() as connection:
			row = connection.execute(_SQL["picture"], {"template_id": template_id.bytes}).fetchone()
		if row is None:
			return None
		try:
			return self._key.open(row["picture"], _about(row, _PICTURE))
		except BrokenSealError:
			raise StoreError(Code.TEMPLATE_DAMAGED, template_id=str(template_id)) from None

	def untold(self, limit: int) -> list[Template]:
		"""Templates that the site does not hold yet, the oldest first."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["untold"], {"limit": limit}).fetchall()
		return list(self._opened(rows))

	def mark_told(self, template_ids: Iterable[UUID]) -> None:
		"""The site holds these templates."""
		with self._db.write() as connection:
			connection.executemany(_SQL["mark_told"], [(each.bytes,) for each in template_ids])

	def counts(self) -> dict[str, dict[str, int]]:
		"""Model → employee → how many templates."""
		found: dict[str, dict[str, int]] = {}
		with self._db.read() as connection:
			for row in connection.execute(_SQL["counts"]):
				people = found.setdefault(text_out(row["model"]), {})
				people[text_out(row["employee"])] = row["templates"]
		return found

	def outdated(self, model: str) -> list[str]:
		"""People with templates of other models only: to be enrolled, or embedded from pictures, again."""
		counts = self.counts()
		current = counts.pop(model, {})
		return sorted({employee for people in counts.values() for employee in people} - current.keys())

	def revision(self) -> int:
		"""Grows with every change, also by another process: a copy in memory of an older one is stale."""
		with self._db.read() as connection:
			return int(connection.execute(_SQL["revision"]).fetchone()["revision"])

	def damaged(self) -> list[UUID]:
		"""The templates that do not open although the key is right."""
		found = set()
		with self._db.read() as connection:
			self.check_key(connection)
			for statement, kind in (("sealed_vectors", _VECTOR), ("sealed_pictures", _PICTURE)):
				for row in _pages(connection, statement):
					if self._open_or_none(row["sealed"], _about(row, kind)) is None:
						found.add(UUID(bytes=row["template_id"]))
		return sorted(found)

	def rotate(self, key: GalleryKey) -> bool:
		"""Lock everything with another key, in one transaction; the old one opens nothing afterwards.

		The caller has put the new key where it will be found before. Returns whether all traces of what the
		old key opens have left the files of this database; a reader in another process may hold that up.

		:raises StoreError: TEMPLATE_DAMAGED; nothing was changed.
		"""
		kinds = (
			("sealed_vectors", "lock_vector_anew", _VECTOR),
			("sealed_pictures", "lock_picture_anew", _PICTURE),
		)
		with self._db.write() as connection:
			self.check_key(connection)
			for statement, lock_anew, kind in kinds:
				for row in _pages(connection, statement):
					plain = self._open_or_none(row["sealed"], _about(row, kind))
					if plain is None:
						damaged = str(UUID(bytes=row["template_id"]))
						raise StoreError(Code.TEMPLATE_DAMAGED, template_id=damaged)
					sealed = key.seal(plain, _about(row, kind))
					connection.execute(_SQL[lock_anew], (sealed, row["template_id"]))
			connection.execute(_SQL["set_key_check"], (_key_check(key),))
		self._key = key
		return self._db.empty_log()

	def check_key(self, connection: sqlite3.Connection) -> None:
		"""Another process may have locked the gallery anew since it was opened here.

		:raises StoreError: GALLERY_KEY_WRONG.
		"""
		check = connection.execute(_SQL["key_check"]).fetchone()["key_check"]
		if check is None or not _opens(self._key, check):
			raise StoreError(Code.GALLERY_KEY_WRONG, path=str(self._db.path))

	def _hold(
		self, connection: sqlite3.Connection, templates: Sequence[Template], pictures: Mapping[UUID, bytes]
	) -> int:
		"""Hold what was captured here; returns how many are new. Inside of a transaction."""
		if any(len(picture) > MAX_PICTURE for picture in pictures.values()):
			raise ValueError("an enrolment picture is too large")
		self.check_key(connection)
		agreed = consents.holding(connection) if self.consent_required else None
		for template in templates:
			if agreed is not None and template.employee not in agreed:
				raise StoreError(Code.CONSENT_MISSING, employee=template.employee)
		new = self.put(connection, templates, received=False)
		if self._keep_pictures:
			self._put_pictures(connection, templates, pictures)
		if new:
			connection.execute(_SQL["bump"])
		return new

	def _ids(self, connection: sqlite3.Connection, employee: str, model: str) -> list[UUID]:
		rows = connection.execute(_SQL["of_employee"], {"employee": text_in(employee)})
		return [UUID(bytes=row["template_id"]) for row in rows if text_out(row["model"]) == model]

	def put(self, connection: sqlite3.Connection, templates: Iterable[Template], *, received: bool) -> int:
		"""Hold templates, inside of a transaction; returns how many are new.

		:param received: they come from the site, and were not captured here.
		"""
		rows = [
			(
				each.template_id.bytes,
				text_in(each.employee),
				text_in(each.model),
				each.pose.value,
				each.quality,
				micros(each.captured_at),
				text_in(each.captured_by),
				received,
				received,  # the site knows what came from it
				self._key.seal(each.vector, _about_template(each, _VECTOR)),
			)
			for each in templates
		]
		return connection.executemany(_SQL["put"], rows).rowcount if rows else 0

	def _put_pictures(
		self, connection: sqlite3.Connection, templates: Iterable[Template], pictures: Mapping[UUID, bytes]
	) -> None:
		rows = [
			(
				each.template_id.bytes,
				self._key.seal(pictures[each.template_id], _about_template(each, _PICTURE)),
			)
			for each in templates
			if each.template_id in pictures
		]
		connection.executemany(_SQL["put_picture"], rows)

	def _opened(self, rows: Iterable[sqlite3.Row]) -> Iterator[Template]:
		for row in rows:
			vector = self._open_or_none(row["vector"], _about(row, _VECTOR))
			if vector is None:
				with self._db.read() as connection:
					self.check_key(connection)
				logger.error("the template %s does not open; it was changed", UUID(bytes=row["template_id"]))
				continue
			yield Template(
				template_id=UUID(bytes=row["template_id"]),
				employee=text_out(row["employee"]),
				model=text_out(row["model"]),
				vector=vector,
				pose=Pose(row["pose"]),
				quality=row["quality"],
				captured_at=moment(row["captured_at"]),
				captured_by=text_out(row["captured_by"]),
			)

	def _open_or_none(self, sealed: bytes, bound_to: bytes) -> bytes | None:
		try:
			return self._key.open(sealed, bound_to)
		except BrokenSealError:
			return None


def create_key(db: Database, path: Path) -> GalleryKey:
	"""Make the key of a gallery that holds nothing yet, in a new file.

	:raises StoreError: GALLERY_KEY_TAKEN (templates are there that another key opens, or the file is), or as
		`create_key_file`.
	"""
	with db.write() as connection:
		if connection.execute(_SQL["count"]).fetchone()[0]:
			raise StoreError(Code.GALLERY_KEY_TAKEN, place=str(path))
		key = create_key_file(path, db.path)
		connection.execute(_SQL["set_key_check"], (_key_check(key),))
	return key


def rotate_key_file(db: Database, path: Path, *, now: Callable[[], datetime]) -> bool:
	"""Lock the gallery with a new key and put it in the place of the old one; see `Gallery.rotate`.

	The new key is on the disk before anything is locked with it. Interrupted, it can be called again.
	"""
	_settle_rotation(db, path)
	gallery = Gallery.open(db, read_key_file(path, db.path), now=now)
	clean = gallery.rotate(create_key_file(next_key_file(path), db.path))
	put_next_in_place(path)
	return clean


def key_in_file(db: Database, path: Path) -> GalleryKey:
	"""The key in a file, after a rotation that was interrupted has been settled.

	:raises StoreError: as `read_key_file`.
	"""
	_settle_rotation(db, path)
	return read_key_file(path, db.path)


def _settle_rotation(db: Database, path: Path) -> None:
	"""An interrupted rotation left two keys: keep the one that the gallery is locked with."""
	following = next_key_file(path)
	if not following.exists():
		return
	with db.read() as connection:
		check = connection.execute(_SQL["key_check"]).fetchone()["key_check"]
	if check is not None and _file_opens(following, db.path, check):
		put_next_in_place(path)
	elif check is not None and _file_opens(path, db.path, check):
		following.unlink()


def _refuse_if_erased_since(connection: sqlite3.Connection, consent: Consent) -> None:
	wanted = {"employee": text_in(consent.employee), "since": micros(consent.given_at)}
	if connection.execute(_SQL["erased_here_since"], wanted).fetchone() is not None:
		raise StoreError(Code.CONSENT_MISSING, employee=consent.employee)


def _file_opens(path: Path, database: Path, check: bytes) -> bool:
	try:
		return _opens(read_key_file(path, database), check)
	except StoreError:  # the next key was being written when the power failed
		return False


def _pages(connection: sqlite3.Connection, statement: str) -> Iterator[sqlite3.Row]:
	after = _FIRST
	while rows := connection.execute(_SQL[statement], {"after": after, "limit": _PAGE}).fetchall():
		yield from rows
		after = rows[-1]["template_id"]


def _about(row: sqlite3.Row, kind: bytes) -> bytes:
	return _bound_to(kind, row["template_id"], text_out(row["employee"]), text_out(row["model"]))


def _about_template(template: Template, kind: bytes) -> bytes:
	return _bound_to(kind, template.template_id.bytes, template.employee, template.model)


def _bound_to(kind: bytes, template_id: bytes, employee: str, model: str) -> bytes:
	texts = (text.encode("utf-8", "surrogatepass") for text in (employee, model))
	return about(_PURPOSE, kind, template_id, *texts)


def _key_check(key: GalleryKey) -> bytes:
	return key.seal(b"", about(_PURPOSE, b"key"))


def _opens(key: GalleryKey, check: bytes) -> bool:
	try:
		key.open(check, about(_PURPOSE, b"key"))
	except BrokenSealError:
		return False
	return True
