"""The rows that the site holds: employees, and check-ins with what keeps a million of them quick."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import ClassVar

from attendance_bridge.simulators.frappe_site.collation import fold


@dataclass(slots=True, kw_only=True)
class Employee:
	"""An Employee document. Empty columns are None, as in the database."""

	name: str
	employee_name: str
	attendance_device_id: str | None = None
	"""Unique on the site, under the database's collation."""
	status: str = "Active"
	"""Active, Inactive, Suspended or Left."""
	company: str | None = None
	department: str | None = None
	designation: str | None = None
	branch: str | None = None
	default_shift: str | None = None
	creation: datetime
	modified: datetime
	owner: str = "Administrator"
	docstatus: ClassVar[int] = 0
	idx: ClassVar[int] = 0
	naming_series: ClassVar[str] = "HR-EMP-"

	@property
	def employee(self) -> str:
		return self.name

	@property
	def first_name(self) -> str:
		return self.employee_name

	@property
	def modified_by(self) -> str:
		return self.owner


@dataclass(slots=True, kw_only=True)
class CheckIn:
	"""An Employee Checkin document.

	The site of the simulator has no Shift Type, so every check-in is off shift.
	"""

	name: str = ""
	creation: datetime
	owner: str
	employee: str
	employee_name: str | None
	time: datetime
	"""Naive, in the site's zone, whole seconds."""
	log_type: str | None = None
	"""Frappe fills in an empty text where none is given; NULL is what other tools may leave."""
	device_id: str | None = None
	skip_auto_attendance: int = 0
	latitude: float = 0.0
	longitude: float = 0.0
	geolocation: str | None = None
	attendance: str | None = None
	docstatus: ClassVar[int] = 0
	idx: ClassVar[int] = 0
	shift: ClassVar[str | None] = None
	offshift: ClassVar[int] = 1

	@property
	def modified(self) -> datetime:
		return self.creation

	@property
	def modified_by(self) -> str:
		return self.owner

	@property
	def log_type_key(self) -> str:
		"""The same for all log types that the duplicate rule holds equal: None and empty are."""
		return fold(self.log_type or "")


def held(row: Employee | CheckIn) -> dict[str, object]:
	"""The columns that a row holds itself, for assertions."""
	return {each.name: getattr(row, each.name) for each in fields(row)}


class DeviceIdTakenError(ValueError):
	"""Another employee has an attendance_device_id that the database holds equal (UniqueValidationError)."""


@dataclass(slots=True)
class EmployeeTable:
	"""The Employee documents, in the order of their creation."""

	_by_name: dict[str, Employee] = field(default_factory=dict)
	_by_device_id: dict[str, Employee] = field(default_factory=dict)

	def __len__(self) -> int:
		return len(self._by_name)

	def __iter__(self) -> Iterator[Employee]:
		return iter(list(self._by_name.values()))

	def add(self, employee: Employee) -> None:
		"""
		:raises DeviceIdTakenError: its attendance_device_id belongs to somebody.
		:raises ValueError: there is an employee of that name.
		"""
		if fold(employee.name) in self._by_name:
			raise ValueError(f"there is an employee {employee.name} already")
		self._claim(employee, employee.attendance_device_id)
		self._by_name[fold(employee.name)] = employee

	def find(self, name: object) -> Employee | None:
		return self._by_name.get(fold(str(name)))

	def find_by_device_id(self, device_id: str) -> Employee | None:
		return self._by_device_id.get(fold(device_id))

	def change_device_id(self, employee: Employee, device_id: str | None) -> None:
		""":raises DeviceIdTakenError: it belongs to somebody else."""
		self._claim(employee, device_id)
		old = employee.attendance_device_id
		if old is not None and fold(old) != fold(device_id or ""):
			del self._by_device_id[fold(old)]
		employee.attendance_device_id = device_id

	def _claim(self, employee: Employee, device_id: str | None) -> None:
		if device_id is None:
			return
		if self._by_device_id.setdefault(fold(device_id), employee) is not employee:
			raise DeviceIdTakenError(device_id)


class NameTakenError(ValueError):
	"""There is a document of that name already: the primary key refuses it."""


class CheckInTable:
	"""The Employee Checkin documents. Its methods do not lock: the state's lock is the database's."""

	def __init__(self) -> None:
		self._by_name: dict[str, CheckIn] = {}
		self._by_moment: dict[str, dict[datetime, tuple[CheckIn, ...]]] = {}
		self._last_of_series: Counter[str] = Counter()

	def __len__(self) -> int:
		return len(self._by_name)

	def __iter__(self) -> Iterator[CheckIn]:
		return iter(list(self._by_name.values()))

	def find(self, name: str) -> CheckIn | None:
		return self._by_name.get(fold(name))

	def at(self, employee: str, moment: datetime) -> tuple[CheckIn, ...]:
		return self._by_moment.get(fold(employee), {}).get(moment, ())

	def of(self, employee: str) -> Iterator[CheckIn]:
		for rows in list(self._by_moment.get(fold(employee), {}).values()):
			yield from rows

	def add(self, rows: Sequence[CheckIn]) -> None:
		"""Name the rows that have no name, and hold all of them.

		No unique index stands behind the duplicate rule; only the name is unique.

		:raises NameTakenError: nothing is held then.
		"""
		given = [fold(row.name) for row in rows if row.name]
		for name in given:
			if name in self._by_name or given.count(name) > 1:
				raise NameTakenError(name)
		for row in rows:
			self._hold(row)

	def _hold(self, row: CheckIn) -> None:
		if not row.name:
			row.name = self.next_name(row.creation)
			self._last_of_series[_series(row.creation)] += 1
		self._by_name[fold(row.name)] = row
		moments = self._by_moment.setdefault(fold(row.employee), {})
		moments[row.time] = (*moments.get(row.time, ()), row)

	def next_name(self, now: datetime, beside: int = 0) -> str:
		"""The name that the next row will get: the series counts within the month of *now*.

		:param beside: rows of the same transaction that come before it.
		"""
		series = _series(now)
		return f"{series}{self._last_of_series[series] + 1 + beside:06d}"

	def held_more_than_once(self) -> list[tuple[str, datetime]]:
		"""(employee, time) of all moments with two rows or more, whatever their log types."""
		return [
			(rows[0].employee, moment)
			for moments in self._by_moment.values()
			for moment, rows in moments.items()
			if len(rows) > 1
		]


def _series(now: datetime) -> str:
	return f"EMP-CKIN-{now.month:02d}-{now.year:04d}-"
