"""What a site that keeps faces and this gallery have told each other; see docs/protocols/agent-api.md.

Everything that comes from the site is taken in one transaction a page, and what has to go goes by an erasure
with its record. Moments of the site are whole seconds.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from attendance_bridge.core.consent import Consent, Erasure, ErasureReason
from attendance_bridge.core.faces import ErasureOrder, FacePage, Obeyed, PersonFaces
from attendance_bridge.stores import consents, erasures
from attendance_bridge.stores.columns import micros, micros_or_none, moment, moment_or_none, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.erasures import Erasures
from attendance_bridge.stores.gallery import Gallery
from attendance_bridge.stores.queries import load

_SQL = load("site_faces")

BY = "site"
"""Who erased, in the records of what the site caused."""
_ENDS_CONSENT = (ErasureReason.WITHDRAWN, ErasureReason.LEFT)


class SiteFaces:
	"""The gallery as the site sees it. Every method may raise `StoreError`.

	:param at: everywhere the moment of the act, aware.
	"""

	def __init__(self, db: Database, gallery: Gallery) -> None:
		self._db = db
		self._gallery = gallery
		self._erased: dict[str, int] = {}
		"""Employee → the record of what the pages since the last orders had erased of them."""

	# what the site says

	def take(self, page: FacePage, at: datetime, *, models: Collection[str]) -> int:
		"""Take a page of changes; returns how many templates were erased.

		:param models: that were asked for. What was captured here of any other stays: it may be all that a
			new model can be fed from. What was received of it goes: nothing is done with it.
		"""
		with self._db.write() as connection:
			self._gallery.check_key(connection)
			if page.whole:
				connection.execute(_SQL["try_again"])
			if not page.central:
				connection.execute(_SQL["untell"])
			known = frozenset(models) if page.central else None
			records: dict[str, int] = {}
			erased = sum(self._take_person(connection, person, known, at, records) for person in page.people)
			erased += sum(self._forget(connection, employee, at) for employee in page.gone)
		self._erased |= records
		self._finish(erased, at)
		return erased

	def keep_only(self, employees: Collection[str], at: datetime) -> int:
		"""Forget whoever came from the site, or was told to it, and is not among these people."""
		with self._db.write() as connection:
			known = {text_out(row["employee"]) for row in connection.execute(_SQL["people_of_the_site"])}
			erased = sum(self._forget(connection, each, at) for each in sorted(known - set(employees)))
		self._finish(erased, at)
		return erased

	def obey(self, orders: Iterable[ErasureOrder], at: datetime) -> int:
		"""Carry out erasures that the site wants; returns how many were news. Each has its record."""
		news = 0
		with self._db.write() as connection:
			for order in orders:
				if connection.execute(_SQL["order"], {"name": order.erasure}).fetchone() is not None:
					connection.execute(_SQL["tell_again"], {"name": order.erasure})
					continue
				self._obey(connection, order, at)
				news += 1
		self._erased.clear()
		Erasures(self._db).finish(at)
		return news

	def _obey(self, connection: sqlite3.Connection, order: ErasureOrder, at: datetime) -> None:
		"""What the pages before it have erased for the same cause is what the site is told of."""
		if order.reason in _ENDS_CONSENT:
			_end_consents(connection, order.employee, order.at)
		if self._agreed(connection, order.employee):
			wanted = {"employee": text_in(order.employee), "at": micros(order.at)}
			rows = connection.execute(_SQL["captured_until"], wanted)
			ids = [UUID(bytes=row["template_id"]) for row in rows]
		else:
			ids = erasures.ids_of(connection, order.employee)
		done = None if ids else self._erased.get(order.employee)
		if done is None:
			done = erasures.erase(connection, order.employee, ids, order.reason, by=BY, at=at, told=True)
		connection.execute(_SQL["note_order"], {"name": order.erasure, "erasure_id": done})

	def _take_person(
		self,
		connection: sqlite3.Connection,
		person: PersonFaces,
		models: frozenset[str] | None,
		at: datetime,
		records: dict[str, int],
	) -> int:
		"""
		:param models: of which the site has told all; None if it keeps none of any.
		:param records: gets the number of the record of what was erased of this person.
		"""
		if person.consent is not None:
			_note_consent(connection, person.consent)
		agreed = self._agreed(connection, person.employee)
		listed = {each.template_id: each for each in person.templates}
		held = _held(connection, person.employee, listed)
		gone: dict[tuple[str, ErasureReason], list[UUID]] = {}
		for template_id, row in held.items():
			employee = text_out(row["employee"])
			if not agreed:
				gone.setdefault((employee, ErasureReason.WITHDRAWN), []).append(template_id)
			elif employee != person.employee or (
				_is_the_sites(row, models) and template_id not in listed and template_id not in person.locked
			):
				gone.setdefault((employee, ErasureReason.REPLACED), []).append(template_id)
		for (employee, reason), ids in gone.items():
			record = erasures.erase(connection, employee, ids, reason, by=BY, at=at, told=True)
			if employee == person.employee:
				records[employee] = record
		if agreed:
			erased = {template_id for ids in gone.values() for template_id in ids}
			connection.executemany(_SQL["told"], [(each.bytes,) for each in listed])
			new = [each for key, each in listed.items() if key not in held or key in erased]
			if self._gallery.put(connection, new, received=True):
				connection.execute(_SQL["bump"])
		return sum(map(len, gone.values()))

	def _forget(self, connection: sqlite3.Connection, employee: str, at: datetime) -> int:
		ids = [
			template_id for template_id, row in _held(connection, employee, ()).items() if row["told"] == 1
		]
		if ids:
			erasures.erase(connection, employee, ids, ErasureReason.REPLACED, by=BY, at=at, told=True)
		return len(ids)

	def _agreed(self, connection: sqlite3.Connection, employee: str) -> bool:
		"""Whether somebody's templates may be held."""
		row = connection.execute(_SQL["latest_holds"], {"employee": text_in(employee)}).fetchone()
		return not self._gallery.consent_required if row is None else bool(row["holds"])

	def _finish(self, erased: int, at: datetime) -> None:
		if erased:
			Erasures(self._db).finish(at)

	def models_captured(self) -> list[str]:
		"""The models of templates that were captured here."""
		with self._db.read() as connection:
			return [text_out(row["model"]) for row in connection.execute(_SQL["models_captured"])]

	# what the site is to be told

	def untold_consents(self, limit: int) -> list[Consent]:
		"""Consents that the site does not know as they stand, the oldest first."""
		with self._db.read() as connection:
			return [
				consents.consent_of(row)
				for row in connection.execute(_SQL["untold_consents"], {"limit": limit})
			]

	def consents_told(self, told: Iterable[Consent]) -> None:
		"""The site knows these, as they stand here."""
		rows = [
			(text_in(each.employee), micros(each.given_at), micros_or_none(each.withdrawn_at))
			for each in told
		]
		with self._db.write() as connection:
			connection.executemany(_SQL["consent_told"], rows)

	def refused(self, template_ids: Iterable[UUID]) -> None:
		"""The site does not want these: they stay here, and are not sent again before the next whole list."""
		with self._db.write() as connection:
			connection.executemany(_SQL["refused"], [(each.bytes,) for each in template_ids])

	def untold_acts(self, reason: ErasureReason, limit: int) -> list[tuple[int, Erasure]]:
		"""Erasures made here that the site does not know of, with their numbers."""
		wanted = {"reason": reason.value, "limit": limit}
		with self._db.read() as connection:
			rows = connection.execute(_SQL["untold_acts"], wanted).fetchall()
		return [(row["erasure_id"], erasures.erasure_of(row)) for row in rows]

	def acts_told(self, numbers: Iterable[int]) -> None:
		with self._db.write() as connection:
			connection.executemany(_SQL["act_told"], [(number,) for number in numbers])

	def replaced(self, limit: int) -> list[UUID]:
		"""Templates that newer ones took the place of here, and the site does not know of."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["replaced"], {"limit": limit})
			return [UUID(bytes=row["template_id"]) for row in rows]

	def replaced_told(self, template_ids: Iterable[UUID]) -> None:
		with self._db.write() as connection:
			connection.executemany(_SQL["replaced_told"], [(each.bytes,) for each in template_ids])

	def unconfirmed(self, limit: int) -> list[Obeyed]:
		"""Orders that were carried out and the site has not heard all about."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["unconfirmed"], {"limit": limit}).fetchall()
		return [
			Obeyed(
				erasure=row["name"],
				at=moment(row["erased_at"]),
				templates=row["templates"],
				traces_gone_at=moment_or_none(row["traces_gone_at"]),
			)
			for row in rows
		]

	def confirmed(self, obeyed: Sequence[Obeyed]) -> None:
		"""The site has heard of these."""
		rows = [(1 if each.traces_gone_at is None else 2, each.erasure) for each in obeyed]
		with self._db.write() as connection:
			connection.executemany(_SQL["confirmed"], rows)


def _held(
	connection: sqlite3.Connection, employee: str, template_ids: Iterable[UUID]
) -> dict[UUID, sqlite3.Row]:
	ids = json.dumps([each.hex.upper() for each in template_ids])
	rows = connection.execute(_SQL["of_person"], {"employee": text_in(employee), "ids": ids})
	return {UUID(bytes=row["template_id"]): row for row in rows}


def _is_the_sites(row: sqlite3.Row, models: frozenset[str] | None) -> bool:
	"""Whether a template has to go when the site does not list it."""
	if models is None:
		return bool(row["received"])
	return row["told"] == 1 and bool(row["received"] or text_out(row["model"]) in models)


def _note_consent(connection: sqlite3.Connection, consent: Consent) -> None:
	wanted = {
		"employee": text_in(consent.employee),
		"second": micros(consent.given_at.replace(microsecond=0)),
		"text_version": text_in(consent.text_version),
		"text_sha256": consent.text_sha256,
		"text_language": text_in(consent.text_language),
		"given_to": text_in(consent.given_to),
	}
	known = {key: wanted[key] for key in ("employee", "second")}
	if not connection.execute(_SQL["recognise_consent"], known).rowcount:
		connection.execute(_SQL["put_consent"], wanted)
	if consent.withdrawn_at is not None:
		_end_consents(connection, consent.employee, consent.withdrawn_at)


def _end_consents(connection: sqlite3.Connection, employee: str, at: datetime) -> None:
	wanted = {"employee": text_in(employee), "at": micros(at)}
	connection.execute(_SQL["end_consents"], wanted)
