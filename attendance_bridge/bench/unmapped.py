"""Ids on terminals that are nobody's yet: who they may be, and what happens when somebody gets one."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import background, devices, punch_rows
from attendance_bridge.core.projection import DevicePolicy

MAX_SUGGESTIONS = 5
_NAME_KEYS = ("name", "Name")
"""Where terminals that send JSON put the name that stands on them (Hikvision: `name`)."""


class Likeness(str, Enum):
	"""Why an employee is suggested, the strongest first."""

	NAME_ON_TERMINAL = "name_on_terminal"
	LEADING_ZEROS = "leading_zeros"
	"""The employee has this id with more or fewer zeros before it."""
	EMPLOYEE_NUMBER = "employee_number"
	"""The same digits as in the employee's number."""
	EMPLOYEE_ID = "employee_id"
	"""The same digits as at the end of the employee's ID, HR-EMP-00031."""
	SAME_DIGITS = "same_digits"
	"""The employee has an id of the same digits, written otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
	employee: str
	employee_name: str
	likeness: Likeness
	attendance_device_id: str
	"""The id that the employee has already; empty if none."""


@dataclass(slots=True, kw_only=True)
class UnmappedGroup:
	"""The unmapped punches of one id."""

	device_user_id: str
	"""As `Employee.attendance_device_id` would have to be: with the terminal's prefix."""
	punches: int = 0
	first: datetime | None = None
	"""Naive, in the site's time zone."""
	last: datetime | None = None
	devices: list[str] = field(default_factory=list)
	ids_on_devices: list[str] = field(default_factory=list)
	"""As they stand in Punch Log: without the terminals' prefixes."""
	name_on_terminal: str = ""
	suggestions: list[Suggestion] = field(default_factory=list)


def groups() -> list[UnmappedGroup]:
	"""All ids that are nobody's, those with the most punches first."""
	found = _read_groups()
	people = frappe.get_all(
		"Employee",
		filters={"status": ("!=", "Left")},
		fields=["name", "employee_name", "employee_number", "attendance_device_id"],
		order_by="name",
	)
	index = _Likenesses(people)
	for group in found:
		group.suggestions = index.suggest(group)
	return sorted(found, key=lambda group: (-group.punches, group.device_user_id))


def map_employee(device_user_id: str, employee: str, *, replace: bool = False) -> int:
	"""Give an id to an employee; returns how many punches were put back to be decided anew.

	Saving the Employee does the rest (`employee_changed`). The caller answers for the permission.

	:param device_user_id: as in `UnmappedGroup`.
	:param replace: the employee may lose another id that they have.
	:raises frappe.ValidationError: the employee has another id and `replace` is not set, or somebody else has
		this one.
	"""
	document = frappe.get_doc("Employee", employee)
	held = document.attendance_device_id
	if held and held != device_user_id and not replace:
		frappe.throw(
			_("{0} has the attendance device ID {1} already").format(
				frappe.bold(document.employee_name), frappe.bold(held)
			)
		)
	document.attendance_device_id = device_user_id
	document.save()
	return int(document.flags.attendance_bridge_reopened or 0)


def employee_changed(document: Any, method: str | None = None) -> None:
	"""Document event `on_update` of Employee: past punches of a new id, or of somebody active again."""
	reopened = 0
	if document.attendance_device_id and document.has_value_changed("attendance_device_id"):
		reopened += reopen(document.attendance_device_id)
	if document.status != "Inactive" and document.has_value_changed("status"):
		reopened += _reopen_refused(document.name)
	document.flags.attendance_bridge_reopened = reopened
	if reopened:
		background.queue_carry_on()


def reopen(attendance_device_id: str) -> int:
	"""Put the unmapped punches of an id back to be decided anew; returns how many."""
	reopened = 0
	for prefix, serials in _serials_by_prefix().items():
		if not attendance_device_id.startswith(prefix) or len(attendance_device_id) == len(prefix):
			continue
		wanted: list[Any] = [punch_rows.storable(attendance_device_id[len(prefix) :])]
		condition = ""
		if prefix:
			condition = " AND `device_serial` IN %s"
			wanted.append(serials)
		reopened += _reopen(f"`device_user_id` = %s AND `status` = 'Unmapped'{condition}", wanted)
	return reopened


def _reopen_refused(employee: str) -> int:
	return _reopen(
		"`employee` = %s AND `status` = 'Rejected' AND `status_reason` = 'inactive_employee'", [employee]
	)


def _reopen(condition: str, wanted: list[Any]) -> int:
	frappe.db.sql(
		f"UPDATE `tabPunch Log` SET {punch_rows.CLEAN_SHEET} WHERE {condition}",  # noqa: S608
		wanted,
	)
	return int(frappe.db._cursor.rowcount)


def _serials_by_prefix() -> dict[str, list[str]]:
	serials: dict[str, list[str]] = {"": []}
	for serial, policy in devices.policies().items():
		serials.setdefault(policy.user_id_prefix, []).append(serial)
	return serials


def _read_groups() -> list[UnmappedGroup]:
	# Byte for byte: the database's own comparison would make one id of "a7" and "A7".
	rows = frappe.db.sql(
		"SELECT MIN(`device_user_id`) AS `device_user_id`, MIN(`device_serial`) AS `device_serial`,"
		" MIN(`device`) AS `device`, COUNT(*) AS `punches`, MIN(`occurred_at`) AS `first`,"
		" MAX(`occurred_at`) AS `last`, MIN(`name`) AS `sample`"
		" FROM `tabPunch Log` WHERE `status` = 'Unmapped'"
		" GROUP BY CAST(`device_user_id` AS BINARY), `device_serial`",
		as_dict=True,
	)
	names = _names_on_terminals([row.sample for row in rows])
	policies, standard = devices.policies(), DevicePolicy()
	found: dict[str, UnmappedGroup] = {}
	for row in rows:
		prefix = policies.get(row.device_serial, standard).user_id_prefix
		whole = prefix + punch_rows.restored(row.device_user_id)
		_add(found.setdefault(whole, UnmappedGroup(device_user_id=whole)), row, names)
	return list(found.values())


def _add(group: UnmappedGroup, row: Any, names: Mapping[str, str]) -> None:
	group.punches += row.punches
	group.first = min(row.first, group.first or row.first)
	group.last = max(row.last, group.last or row.last)
	group.name_on_terminal = group.name_on_terminal or names.get(row.sample, "")
	if row.device_user_id not in group.ids_on_devices:
		group.ids_on_devices.append(row.device_user_id)
	if row.device and row.device not in group.devices:
		group.devices.append(row.device)


def _names_on_terminals(samples: list[str]) -> dict[str, str]:
	if not samples:
		return {}
	rows = frappe.db.sql("SELECT `name`, `raw` FROM `tabPunch Log` WHERE `name` IN %s", (samples,))
	return {name: _name_in(raw or "") for name, raw in rows}


def _name_in(raw: str) -> str:
	"""The person's name in a record that is JSON; empty if it has none."""
	try:
		record = json.loads(raw)
	except (ValueError, RecursionError):
		return ""
	if not isinstance(record, dict):
		return ""
	return next((name for key in _NAME_KEYS if isinstance(name := record.get(key), str) and name.strip()), "")


class _Likenesses:
	"""Employees by everything that an id on a terminal may look like."""

	def __init__(self, people: Iterable[Any]) -> None:
		self._people: dict[tuple[Likeness, str], list[Any]] = defaultdict(list)
		for person in people:
			held = person.attendance_device_id or ""
			self._enter(Likeness.NAME_ON_TERMINAL, _folded(person.employee_name or ""), person)
			self._enter(Likeness.LEADING_ZEROS, held.lstrip("0"), person)
			self._enter(Likeness.EMPLOYEE_NUMBER, _digits(person.employee_number or ""), person)
			self._enter(Likeness.EMPLOYEE_ID, _last_digits(person.name), person)
			self._enter(Likeness.SAME_DIGITS, _digits(held), person)

	def _enter(self, likeness: Likeness, key: str, person: Any) -> None:
		if key:
			self._people[likeness, key].append(person)

	def suggest(self, group: UnmappedGroup) -> list[Suggestion]:
		digits = _digits(group.device_user_id)
		keys = {
			Likeness.NAME_ON_TERMINAL: _folded(group.name_on_terminal),
			Likeness.LEADING_ZEROS: group.device_user_id.lstrip("0"),
			Likeness.EMPLOYEE_NUMBER: digits,
			Likeness.EMPLOYEE_ID: digits,
			Likeness.SAME_DIGITS: digits,
		}
		suggestions: dict[str, Suggestion] = {}
		for likeness, key in keys.items():
			for person in self._people.get((likeness, key), ()) if key else ():
				suggestion = Suggestion(
					employee=person.name,
					employee_name=person.employee_name or "",
					likeness=likeness,
					attendance_device_id=person.attendance_device_id or "",
				)
				suggestions.setdefault(person.name, suggestion)
		return list(suggestions.values())[:MAX_SUGGESTIONS]


def _folded(name: str) -> str:
	return " ".join(name.casefold().split())


def _digits(text: str) -> str:
	"""All digits of a text without leading zeros."""
	return "".join(re.findall(r"[0-9]", text)).lstrip("0")


def _last_digits(text: str) -> str:
	found = re.search(r"([0-9]+)$", text)
	return found.group(1).lstrip("0") if found else ""
