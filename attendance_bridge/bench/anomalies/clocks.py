"""Punches of a person that are held because the clock of their terminal could not be believed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import devices, moments, punch_rows
from attendance_bridge.bench.anomalies import words
from attendance_bridge.bench.anomalies.finding import Finding, punch_ref
from attendance_bridge.core.person import Directory, Person


def find(employees: Collection[str] | None, first: date, last: date) -> list[Finding]:
	"""A finding a person and date, by the time that the terminal said. At most three statements.

	:param employees: None: everybody.
	"""
	by_day: dict[tuple[str, date], list[Any]] = defaultdict(list)
	rows = _held(first, last)
	for employee, row in _with_owner(rows):
		if (employees is None or employee in employees) and first <= row.occurred_at.date() <= last:
			by_day[employee, row.occurred_at.date()].append(row)
	return [
		Finding(
			employee=employee,
			date=day,
			kind=words.HELD_BY_CLOCK,
			reason=words.held_by_clock(len(held), sorted({row.device or row.device_serial for row in held})),
			punches=tuple(punch_ref(row) for row in held),
		)
		for (employee, day), held in by_day.items()
	]


def _held(first: date, last: date) -> list[Any]:
	rows: list[Any] = frappe.db.sql(
		"SELECT `name`, `occurred_at`, `log_type`, `device`, `device_serial`, `device_user_id`,"
		" `employee_checkin` FROM `tabPunch Log`"
		" WHERE `status` = 'Quarantined' AND `occurred_utc` BETWEEN %s AND %s"
		" ORDER BY `occurred_utc`, `name`",
		(
			moments.to_utc(moments.from_site(datetime.combine(first, time()))),
			moments.to_utc(moments.from_site(datetime.combine(last, time())) + timedelta(days=1, hours=2)),
		),
		as_dict=True,
	)
	return rows


def _with_owner(rows: Iterable[Any]) -> list[tuple[str, Any]]:
	"""The rows whose id on the terminal is somebody's: a held punch has no employee yet."""
	held = list(rows)
	if not held:
		return []
	prefixes = {serial: policy.user_id_prefix for serial, policy in devices.policies().items()}

	def whole(row: Any) -> str:
		prefix = prefixes.get(punch_rows.restored(row.device_serial), "")
		return prefix + punch_rows.restored(row.device_user_id)

	ids = {punch_rows.storable(whole(row)) for row in held}
	people = frappe.get_all(
		"Employee",
		filters={"attendance_device_id": ("in", sorted(ids))},
		fields=["name", "attendance_device_id"],
		order_by=None,
	)
	directory = Directory(
		Person(employee=row.name, attendance_device_id=row.attendance_device_id) for row in people
	)
	owned = [(directory.find(whole(row)), row) for row in held]
	return [(person.employee, row) for person, row in owned if person is not None]
