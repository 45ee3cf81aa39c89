"""Tries the connections of an agent: does the upstream, or a terminal, answer as it should?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from attendance_bridge import upstreams
from attendance_bridge.core.driver import Now, read_clock
from attendance_bridge.core.errors import BridgeError
from attendance_bridge.core.upstream import Upstream
from attendance_bridge.edge.messages import sentence, spell_offset, spell_problems
from attendance_bridge.edge.reader import open_driver
from attendance_bridge.edge.settings import LOCAL_LEDGER, Device, Settings
from attendance_bridge.edge.terminals import is_pushed
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.ledger import SqliteLedger


def make_upstream(settings: Settings, database: Database) -> Upstream:
	"""The configured receiver; the local ledger stands in the agent's own database."""
	kind, config = settings.upstream.kind, settings.upstream.config
	upstream_class: Any = upstreams.load(kind)
	if kind == LOCAL_LEDGER:
		shifts = settings.working_days.shifts if settings.working_days else ()
		made: Upstream = upstream_class(config, ledger=SqliteLedger(database), shifts=tuple(shifts))
	else:
		made = upstream_class(config)
	return made


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
	ok: bool
	text: str


class BusyError(Exception):
	"""A test is under way."""


class Connections:
	"""One test at a time: each may take as long as a time-out, and a terminal takes few callers."""

	def __init__(
		self,
		*,
		make_upstream: Callable[[], Upstream],
		devices: Callable[[], tuple[Device, ...]],
		now: Now,
	) -> None:
		self._make_upstream = make_upstream
		self._devices = devices
		self._now = now
		self._turn = threading.Lock()

	def names(self) -> tuple[str, ...]:
		"""What can be tried: the upstream, as an empty name, and the terminals that are read."""
		return ("", *(device.settings.name for device in self._devices() if not is_pushed(device)))

	def test(self, name: str) -> Finding | None:
		"""Try a terminal, or with an empty name the upstream; None if there is no such terminal.

		:raises BusyError: somebody else tries one.
		"""
		if not self._turn.acquire(blocking=False):
			raise BusyError
		try:
			if not name:
				return check_upstream(self._make_upstream)
			for device in self._devices():
				if device.settings.name == name and not is_pushed(device):
					return check_device(device, self._now)
			return None
		finally:
			self._turn.release()


def check_upstream(make_upstream: Callable[[], Upstream]) -> Finding:
	try:
		upstream = make_upstream()
		try:
			info = upstream.check()
		finally:
			upstream.close()
	except BridgeError as error:
		return Finding(ok=False, text=sentence(error))
	if info.problems:
		return Finding(ok=False, text=f"{info.label}: {spell_problems(info.problems)}")
	facts = ", ".join(fact for fact in (info.version, info.user) if fact)
	return Finding(ok=True, text=f"{info.label}{': ' if facts else ''}{facts}")


def check_device(device: Device, now: Now) -> Finding:
	if is_pushed(device):
		return Finding(ok=True, text="it calls by itself; nobody can call it")
	try:
		with open_driver(device, now) as driver:
			info = driver.identify()
			reading = read_clock(driver)
	except BridgeError as error:
		return Finding(ok=False, text=sentence(error))
	expected = device.settings.serial
	if expected and info.serial != expected:
		return Finding(ok=False, text=f"serial number {info.serial} answers, {expected} is expected")
	clock = f", clock {spell_offset(reading.offset)}" if reading else ""
	return Finding(ok=True, text=f"{info.model} {info.serial}, {info.punches_held} records{clock}")
