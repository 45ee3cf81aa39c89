"""A desk that keeps a little in memory, for as many calls as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import Page
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.punch import Punch
from attendance_bridge.drivers.zkteco_adms.commands import REBOOT
from attendance_bridge.drivers.zkteco_adms.desk import (
	Contact,
	Gate,
	Knock,
	Order,
	Outcome,
	Registration,
	Stamp,
	Standing,
	Table,
	Terminal,
)

KEPT = 50


class MemoryDesk:
	"""Lets in whoever has the serial number A1, in a zone whose clocks change."""

	def __init__(self) -> None:
		self.terminal = Terminal(serial="A1", zone=ZoneInfo("Europe/Berlin"))
		self.kept: list[Punch] = []
		self.held = 0
		self._stamps: dict[Table, Stamp] = {}

	def gate(self) -> Gate:
		return Gate()

	def find(self, serial: str) -> Terminal | None:
		return self.terminal if serial == "A1" else None

	def knock(self, knock: Knock) -> Standing:
		return Standing.WAITING

	def register(self, serial: str, registration: Registration) -> Registration:
		return registration

	def hold(
		self, terminal: Terminal, page: Page, reading: ClockReading | None, stamp: Stamp | None
	) -> Accepted:
		for punch in page.punches:
			assert punch.punch_id
		for row in page.unreadable:
			assert len(row.raw) <= 300
			assert row.identity(terminal.serial)
		self.held += len(page.punches) + len(page.unreadable)
		self.kept = [*self.kept, *page.punches][-KEPT:]
		if stamp is not None:
			self._stamps[stamp.table] = stamp
		return Accepted(new=len(page.punches), known=0)

	def stamps(self, serial: str) -> Sequence[Stamp]:
		return list(self._stamps.values())

	def held_between(self, serial: str, first: datetime, last: datetime) -> Sequence[Punch]:
		return [punch for punch in self.kept if first <= punch.wall_time <= last]

	def orders(self, serial: str, limit: int) -> Sequence[Order]:
		return [Order(id=1, text=REBOOT), Order(id=2, text="SHELL ls")]

	def outcomes(self, serial: str, outcomes: Sequence[Outcome]) -> None:
		for outcome in outcomes:
			assert outcome.id > 0
			assert len(outcome.said) <= 200

	def note(self, terminal: Terminal, contact: Contact) -> None:
		assert len(contact.sightings) <= 500
