"""A small shop without a site: terminals whose punches go by the whole road into the ledger, and its days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

from attendance_bridge.core.person import Everybody, Person
from attendance_bridge.core.punch import DeviceKey, Punch
from attendance_bridge.edge.settings import Settings, from_mapping
from attendance_bridge.edge.uploader import Uploader
from attendance_bridge.edge.vouching import vouched_by_all
from attendance_bridge.edge.workdays.book import PersonDay, Workdays
from attendance_bridge.edge.workdays.by_hand import ByHand
from attendance_bridge.stores.agreements import Agreements, Author
from attendance_bridge.stores.entered import EnteredPunches
from attendance_bridge.stores.ledger import SqliteLedger
from attendance_bridge.upstreams.local_ledger import Config, Upstream
from tests.edge.rig import ZONE, Edge

MONDAY = date(2026, 3, 2)
NEXT_MONTH = datetime(2026, 4, 1, 4, 0, tzinfo=timezone.utc)
"""Eight o'clock in Dubai, when March is over."""
BOSS = Author(who="boss", at=NEXT_MONTH)
SERIAL = "T1"
KEYS = {
	"i": DeviceKey.CHECK_IN,
	"o": DeviceKey.CHECK_OUT,
	"ob": DeviceKey.BREAK_OUT,
	"ib": DeviceKey.BREAK_IN,
	"": DeviceKey.UNDEFINED,
}
DAY_SHIFT = {"name": "Day", "start": "09:00", "end": "17:00"}
NIGHT_SHIFT = {"name": "Night", "start": "22:00", "end": "06:00"}
ANNA = Person(employee="HR-1", attendance_device_id="1", full_name="Anna", department="Shop", shift="Day")
BEN = Person(employee="HR-2", attendance_device_id="2", full_name="Ben", department="Yard", shift="Night")


def settings_of(tables: Mapping[str, Any]) -> Settings:
	return from_mapping({"agent": {"timezone": ZONE.key}, **tables})


class Shop:
	def __init__(self, edge: Edge, people: Iterable[Person] = (), **tables: Any) -> None:
		self.edge = edge
		self.settings = settings_of(tables)
		self.ledger = SqliteLedger(edge.database)
		self.agreements = Agreements(edge.database)
		self.people = tuple(people)
		self.workdays = self.days_of(self.settings)

	def days_of(self, settings: Settings) -> Workdays:
		assert settings.working_days is not None
		return Workdays(
			rules=settings.working_days,
			zone=settings.agent.zone,
			ledger=self.ledger,
			roster=self.edge.roster,
			agreements=self.agreements,
			entered=EnteredPunches(self.edge.database),
			takes_everybody=not self.people,
			vouched_until=lambda: vouched_by_all([SERIAL], self.edge.cursors, self.edge.punches),
			now=self.edge.clock,
		)

	@property
	def by_hand(self) -> ByHand:
		"""Enters punches that `settle` decides; it waits for nobody."""
		return ByHand(
			self.workdays,
			directory=self.edge.roster.directory if self.people else Everybody,
			tolerance=timedelta(minutes=2),
			debounce=self.settings.rules.rules().debounce.window,
			now=self.edge.clock,
			on_punch=lambda: None,
			patience=timedelta(0),
		)

	def passes(self, device_user_id: str, *times: str, day: date = MONDAY) -> None:
		"""Hold punches. A time is like `09:00`, `+06:00` (the next date), `12:00ob` (see KEYS)."""
		self.edge.hold(*(_punch(device_user_id, text, day) for text in times))

	def settle(self, *, vouch: bool = True) -> None:
		"""Have everything decided and delivered; the terminal has been read up to now."""
		upstream = Upstream(Config(), ledger=self.ledger, people=self.people)
		uploader = Uploader(
			punches=self.edge.punches,
			outbox=self.edge.outbox,
			roster=self.edge.roster,
			upstream=upstream,
			rules=self.settings.rules.rules(),
			policies=dict,
			catching_up=lambda: False,
			people_every=self.edge.clock() - self.edge.clock(),
			now=self.edge.clock,
			pulse=self.edge.pulse,
			everybody=None if self.people else Everybody(),
		)
		while uploader.step():
			pass
		if vouch:
			self.edge.cursors.vouch(SERIAL, self.edge.clock())

	def day(self, employee: str, day: date = MONDAY) -> PersonDay:
		"""The only shift of a date of somebody."""
		(found,) = self.days(employee, day, day)
		return found

	def days(self, employee: str, first: date, last: date) -> list[PersonDay]:
		people = {person.employee: person for person in self.workdays.people(first, last)}
		(found,) = self.workdays.of([people[employee]], first, last)
		return found


def _punch(device_user_id: str, text: str, day: date) -> Punch:
	clock = text.lstrip("+").rstrip("iob")
	at = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=ZONE)
	if text.startswith("+"):
		at = at.replace(day=at.day + 1)
	key = KEYS[text.lstrip("+")[len(clock) :]]
	return Punch(device_serial=SERIAL, device_user_id=device_user_id, occurred_at=at, device_key=key)
