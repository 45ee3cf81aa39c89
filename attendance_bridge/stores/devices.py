"""What was last known of each terminal: for the status page, and so that a lock-out outlives a restart."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from attendance_bridge.core.clock import ClockReading, ClockRules
from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.errors import BridgeError
from attendance_bridge.core.projection import DevicePolicy
from attendance_bridge.core.pull import PullReport
from attendance_bridge.core.redact import redact
from attendance_bridge.core.retry import Breaker
from attendance_bridge.stores.columns import (
	duration,
	micros,
	micros_or_none,
	moment_or_none,
	text_in,
	text_out,
)
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("devices")
MAX_DETAILS_LENGTH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceRecord:
	"""A terminal as it was last known. All moments are in UTC."""

	name: str
	"""Its key in the configuration."""
	driver: str = ""
	host: str = ""
	port: int | None = None
	role: str = ""
	zone: str = ""
	serial: str = ""
	"""Empty until it has answered for the first time."""
	model: str = ""
	firmware: str = ""
	punches_held: int | None = None
	"""Records in the terminal's own log, by its own count."""
	punch_capacity: int | None = None
	last_seen_at: datetime | None = None
	clock_offset: timedelta | None = None
	"""How far its clock was ahead when last looked at."""
	clock_good_until: datetime | None = None
	"""The last moment at which its clock was seen to be right."""
	last_pull_at: datetime | None = None
	"""When the last pull that has ended began: what was recorded since may not be here."""
	last_pull_complete: bool | None = None
	"""Whether that pull read to the end; None before the first one."""
	last_pull_read: int = 0
	last_pull_new: int = 0
	last_pull_known: int = 0
	last_pull_unreadable: int = 0
	last_error_at: datetime | None = None
	last_error_code: str = ""
	"""A `core.errors.Code`; empty when nothing has gone wrong since the last complete pull."""
	last_error_details: str = ""
	"""The facts of that error, without secrets."""
	failures: int = 0
	"""Of the breaker: failures in a row …"""
	open_until: datetime | None = None
	"""… and until when the terminal is left alone."""


class DeviceBook:
	"""The terminals by name. Every method may raise `StoreError`; a name that is new is entered."""

	def __init__(self, db: Database) -> None:
		self._db = db
		self._policies: dict[str, DevicePolicy] | None = None
		self._policies_lock = threading.Lock()

	def place(
		self, name: str, *, driver: str, host: str, port: int | None = None, role: str = "", zone: str = ""
	) -> None:
		"""Write down what the configuration says of a terminal."""
		self._update(
			"place",
			name=text_in(name),
			driver=driver,
			host=text_in(host),
			port=port,
			role=role,
			zone=zone,
		)

	def contact(
		self,
		name: str,
		info: DeviceInfo,
		*,
		at: datetime,
		reading: ClockReading | None = None,
		rules: ClockRules | None = None,
	) -> None:
		"""The terminal answered: its breaker is closed. Under another serial number it is another terminal.

		:param at: our time, aware.
		:param reading: the look at its clock, if there was one; it counts as right within `rules`.
		"""
		facts = {
			**_contact(name, info, at),
			"clock_offset": duration(reading.offset) if reading else None,
			"clock_good_until": micros_or_none(_good_until(reading, rules or ClockRules())),
		}
		with self._db.write() as connection:
			_answered(connection, facts)

	def contacts(
		self,
		callers: Mapping[str, tuple[DeviceInfo, datetime]],
		readings: Mapping[str, ClockReading] | None = None,
		rules: ClockRules | None = None,
	) -> None:
		"""Terminals called, or answered: (who, when) by name.

		:param readings: the looks at their clocks, as far as there were any; each counts as right within
			`rules`.
		"""
		with self._db.write() as connection:
			for name, (info, at) in callers.items():
				reading = (readings or {}).get(name)
				clock = {
					"clock_offset": duration(reading.offset) if reading else None,
					"clock_good_until": micros_or_none(_good_until(reading, rules or ClockRules())),
				}
				_answered(connection, {**_contact(name, info, at), **clock})

	def pulled(self, name: str, report: PullReport, *, at: datetime) -> None:
		"""A pull has ended. One that read to the end wipes the last error out; `failed` writes it.

		:param at: aware; when it began.
		"""
		self._update(
			"pulled",
			name=text_in(name),
			at=micros(at),
			complete=int(report.complete),
			read=report.read,
			new=report.new,
			known=report.known,
			unreadable=report.unreadable,
		)

	def failed(self, name: str, error: BridgeError, *, at: datetime, breaker: Breaker) -> None:
		"""Something went wrong.

		:param breaker: as it stands after this failure.
		"""
		facts = ", ".join(f"{key}={value}" for key, value in error.details.items())
		self._update(
			"failed",
			name=text_in(name),
			at=micros(at),
			code=error.code.value,
			details=text_in(redact(facts)[:MAX_DETAILS_LENGTH]),
			failures=breaker.failures,
			open_until=micros_or_none(breaker.open_until),
		)

	def forget(self, name: str) -> None:
		"""Drop a terminal that is configured no more; its punches stay."""
		with self._db.write() as connection:
			connection.execute(_SQL["forget"], {"name": text_in(name)})

	def all(self) -> list[DeviceRecord]:
		"""Every terminal, by name."""
		with self._db.read() as connection:
			return [_record(row) for row in connection.execute(_SQL["all"])]

	def serials(self) -> dict[str, str]:
		"""The serial number that each terminal was last seen with, by name."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["serials"]).fetchall()
		return {text_out(row["name"]): text_out(row["serial"]) for row in rows}

	def keep_policy(self, serial: str, policy: DevicePolicy) -> None:
		"""Remember how the punches of the terminal with this serial number are to be decided."""
		with self._policies_lock:
			known = self._known_policies()
			if known.get(serial) == policy:
				return
			facts = {
				"serial": text_in(serial),
				"role": policy.role.value,
				"user_id_prefix": text_in(policy.user_id_prefix),
			}
			with self._db.write() as connection:
				connection.execute(_SQL["keep_policy"], facts)
			self._policies = {**known, serial: policy}

	def policies(self) -> Mapping[str, DevicePolicy]:
		"""How the punches of each terminal are to be decided, by serial, terminals of the past included."""
		with self._policies_lock:
			return self._known_policies()

	def _known_policies(self) -> dict[str, DevicePolicy]:
		# Asked for with every batch of punches, changed once in the life of a terminal.
		if self._policies is None:
			with self._db.read() as connection:
				rows = connection.execute(_SQL["policies"]).fetchall()
			self._policies = {
				text_out(row["serial"]): DevicePolicy(
					role=DeviceRole(row["role"]), user_id_prefix=text_out(row["user_id_prefix"])
				)
				for row in rows
			}
		return self._policies

	def find(self, name: str) -> DeviceRecord | None:
		with self._db.read() as connection:
			row = connection.execute(_SQL["find"], {"name": text_in(name)}).fetchone()
		return _record(row) if row is not None else None

	def _update(self, statement: str, **facts: object) -> None:
		with self._db.write() as connection:
			connection.execute(_SQL["appear"], facts)
			connection.execute(_SQL[statement], facts)


def _contact(name: str, info: DeviceInfo, at: datetime) -> dict[str, object]:
	return {
		"name": text_in(name),
		"serial": text_in(info.serial),
		"model": text_in(info.model),
		"firmware": text_in(info.firmware),
		"punches_held": _countable(info.punches_held),
		"punch_capacity": _countable(info.punch_capacity),
		"at": micros(at),
	}


def _answered(connection: sqlite3.Connection, facts: Mapping[str, object]) -> None:
	connection.execute(_SQL["appear"], facts)
	connection.execute(_SQL["become_another"], facts)
	connection.execute(_SQL["contact"], facts)


def _good_until(reading: ClockReading | None, rules: ClockRules) -> datetime | None:
	if reading is None or abs(reading.offset) > rules.tolerance:
		return None
	return reading.taken_at


def _countable(number: int | None) -> int | None:
	# A terminal may claim anything; a column takes 64 bits.
	return None if number is None else max(0, min(number, 2**63 - 1))


def _record(row: sqlite3.Row) -> DeviceRecord:
	offset, complete = row["clock_offset"], row["last_pull_complete"]
	return DeviceRecord(
		name=text_out(row["name"]),
		driver=row["driver"],
		host=text_out(row["host"]),
		port=row["port"],
		role=row["role"],
		zone=row["zone"],
		serial=text_out(row["serial"]),
		model=text_out(row["model"]),
		firmware=text_out(row["firmware"]),
		punches_held=row["punches_held"],
		punch_capacity=row["punch_capacity"],
		last_seen_at=moment_or_none(row["last_seen_at"]),
		clock_offset=None if offset is None else timedelta(microseconds=offset),
		clock_good_until=moment_or_none(row["clock_good_until"]),
		last_pull_at=moment_or_none(row["last_pull_at"]),
		last_pull_complete=None if complete is None else bool(complete),
		last_pull_read=row["last_pull_read"],
		last_pull_new=row["last_pull_new"],
		last_pull_known=row["last_pull_known"],
		last_pull_unreadable=row["last_pull_unreadable"],
		last_error_at=moment_or_none(row["last_error_at"]),
		last_error_code=row["last_error_code"],
		last_error_details=text_out(row["last_error_details"]),
		failures=row["failures"],
		open_until=moment_or_none(row["open_until"]),
	)
