"""Employee Checkins written as rows: what `insert()` would have written, field by field, many at a time.

What HRMS fills in is known here for HRMS as it stands in v15 and v16. So that another version, or something
that `checkin_customs` does not know, never goes unnoticed, each batch begins with specimens: a check-in or
two are inserted the long way and compared with the row that this module would have written. Only if every
field agrees are the others written as rows.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import frappe
from frappe.model.naming import parse_naming_series

from attendance_bridge.bench import compat, moments, punch_rows
from attendance_bridge.bench.shift_finder import Shift, ShiftFinder

logger = logging.getLogger(__name__)

DOCTYPE = "Employee Checkin"

_LINK = "punch_log"
"""The custom field that leads from a check-in to its punch."""

_EACH_ITS_OWN = frozenset({"name", "creation", "modified"})

_SHIFT_COLUMNS = ("shift_start", "shift_end", "shift_actual_start", "shift_actual_end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
	"""A decided punch that waits for its check-in."""

	punch: str
	"""Name of its row in Punch Log."""
	employee: str
	time: datetime
	"""Naive, in the site's time zone, whole seconds."""
	log_type: str
	device: str
	"""Name of the Device Configuration."""
	position: tuple[float, float] | None = None
	"""Latitude and longitude of the terminal, where HRMS wants a position with every check-in."""

	def document(self) -> Any:
		"""The check-in as it is handed to `insert()`."""
		values = {
			"doctype": DOCTYPE,
			"employee": self.employee,
			"time": self.time,
			"log_type": self.log_type,
			"device_id": self.device,
		}
		if self.position is not None:
			values["latitude"], values["longitude"] = self.position
		if frappe.get_meta(DOCTYPE).has_field(_LINK):
			values[_LINK] = self.punch
		return frappe.get_doc(values)


class CheckinRows:
	"""The rows of one batch of passages."""

	def __init__(self, passages: Sequence[Passage]) -> None:
		employees = {passage.employee for passage in passages}
		times = [passage.time for passage in passages]
		self._names = {
			row.name: row.employee_name
			for row in frappe.get_all(
				"Employee",
				filters={"name": ("in", sorted(employees)), "status": ("!=", "Inactive")},
				fields=["name", "employee_name"],
				order_by=None,
			)
		}
		self._finder = ShiftFinder(employees, min(times), max(times))
		self._template = _template(passages[0])
		self._linked = frappe.get_meta(DOCTYPE).has_field(_LINK)
		self._overtime = compat.overtime_fields(DOCTYPE)
		self._of_shifts: dict[int, tuple[Shift, dict[str, Any]]] = {}
		self._off_shift = {"shift": None, "offshift": 1, **dict.fromkeys(_SHIFT_COLUMNS)} | {
			field: self._template.get(field) for field in self._overtime
		}

	def takes(self, passage: Passage) -> bool:
		"""Whether `insert()` would certainly take it; what may be refused is for `insert()` to refuse."""
		return passage.employee in self._names and passage.log_type in ("IN", "OUT")

	def row(self, passage: Passage) -> dict[str, Any]:
		"""All columns but `name`."""
		return {**self._template, **self._own(passage)}

	def _own(self, passage: Passage) -> dict[str, Any]:
		"""The columns that are not the same in every check-in; whatever the passage, the same columns."""
		own = {
			"employee": passage.employee,
			"employee_name": self._names[passage.employee],
			"time": passage.time,
			"log_type": passage.log_type,
			"device_id": passage.device,
		}
		if self._linked:
			own[_LINK] = passage.punch
		own.update(self._of_shift(self._finder.find(passage.employee, passage.time)))
		return own

	def _of_shift(self, shift: Shift) -> dict[str, Any]:
		if not shift:
			return self._off_shift
		# The finder hands out one and the same shift to all who are in it.
		found = self._of_shifts.get(id(shift))
		if found is None:
			columns = {
				"shift": shift.shift_type.name,
				"offshift": 0,
				"shift_start": shift.start_datetime,
				"shift_end": shift.end_datetime,
				"shift_actual_start": shift.actual_start,
				"shift_actual_end": shift.actual_end,
				**{field: shift.get(field) or None for field in self._overtime},
			}
			found = self._of_shifts[id(shift)] = shift, columns
		return found[1]

	def specimens(self, passages: Iterable[Passage]) -> list[Passage]:
		"""One that falls into a shift and one that does not, as far as there are."""
		found: dict[bool, Passage] = {}
		for passage in passages:
			found.setdefault(bool(self._finder.find(passage.employee, passage.time)), passage)
			if len(found) == 2:
				break
		return list(found.values())

	def differences(self, passage: Passage, checkin: str) -> list[str]:
		"""The columns in which an inserted check-in is not what `row` says; empty if they agree."""
		inserted = frappe.db.sql(
			"SELECT * FROM `tabEmployee Checkin` WHERE `name` = %s", checkin, as_dict=True
		)[0]
		expected = self.row(passage)
		columns = (inserted.keys() | expected.keys()) - _EACH_ITS_OWN
		return sorted(column for column in columns if inserted.get(column) != expected.get(column))

	def write(self, passages: Sequence[Passage]) -> dict[str, str]:
		"""Write the check-ins; returns the check-in of each punch, both by name."""
		names = list(_reserve_names(len(passages)))
		now = moments.now()
		punch_rows.insert(
			DOCTYPE,
			[{"name": name, **self._own(passage)} for passage, name in zip(passages, names, strict=True)],
			{**self._template, "creation": now, "modified": now},
		)
		return {passage.punch: name for passage, name in zip(passages, names, strict=True)}


def can_name() -> bool:
	"""Whether check-ins are named by a series whose number comes last, as HRMS ships it."""
	autoname = frappe.get_meta(DOCTYPE).autoname or ""
	parts = autoname.split(".")
	return ":" not in autoname and parts[-1].startswith("#") and sum("#" in part for part in parts) == 1


def hold_series() -> None:
	"""Lock the series of names: until the transaction ends, whoever else makes a check-in waits for its name.

	For the very beginning of a transaction, before it reads anything. What it reads then holds every check-in
	that was named before. And a database that refuses to change what was changed behind a transaction's
	snapshot (MariaDB's `innodb_snapshot_isolation`) would refuse the first name again and again as long as
	others check in. Without effect where check-ins are named otherwise.
	"""
	if can_name():
		prefix, _digits = _series()
		frappe.db.sql("SELECT `current` FROM `tabSeries` WHERE `name` = %s FOR UPDATE", prefix)


def _series() -> tuple[str, int]:
	"""The name of the series as of now, and how many digits its numbers have."""
	found: list[tuple[str, int]] = []

	def number(key: str, digits: int) -> str:
		found.append((key, digits))
		return ""

	parse_naming_series(frappe.get_meta(DOCTYPE).autoname.split("."), number_generator=number)
	return found[0]


def _template(passage: Passage) -> dict[str, Any]:
	"""The columns of a new check-in with what Frappe itself fills in: defaults, user, docstatus."""
	document = passage.document()
	document.set("__islocal", True)
	document._set_defaults()
	document.set_user_and_timestamp()
	document.set_docstatus()
	values = document.get_valid_dict(convert_dates_to_str=False, ignore_virtual=True)
	return {
		**{column: values[column] for column in values if column != "name"},
		**dict.fromkeys(_SHIFT_COLUMNS),
	}


def _reserve_names(count: int) -> Iterator[str]:
	"""The next names of the series; until the transaction ends, nobody else gets one."""
	prefix, digits = _series()
	# The month may have changed since the specimens were named: then the series is new.
	frappe.db.sql(
		"INSERT INTO `tabSeries` (`name`, `current`) VALUES (%s, %s)"
		" ON DUPLICATE KEY UPDATE `current` = `current` + VALUES(`current`)",
		(prefix, count),
	)
	last = frappe.db.sql("SELECT `current` FROM `tabSeries` WHERE `name` = %s", prefix)[0][0]
	return (f"{prefix}{number:0{digits}d}" for number in range(last - count + 1, last + 1))
