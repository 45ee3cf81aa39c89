"""The record of what was found: opened once, closed when its cause is gone, never reopened silently.

What a person has resolved or dismissed stays so as long as nothing new tells of it. What closed by itself and
is found again is opened again, and so is what a person has decided when other punches tell of it now; a
comment says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import moments
from attendance_bridge.bench.anomalies import words
from attendance_bridge.bench.anomalies.finding import Finding, Key, first_by_key
from attendance_bridge.bench.messages import in_site_language
from attendance_bridge.bench.reviewing import leave_trace

DOCTYPE = "Attendance Anomaly"
PUNCH = "Attendance Anomaly Punch"

OPEN, RESOLVED, DISMISSED = "Open", "Resolved", "Dismissed"

_TOLD = ("reason", "advice", "told", "attendance", "until", "others", "evidence")
"""What may change while an anomaly stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
	"""What a look has covered: an anomaly within it that was not found is gone."""

	kinds: Collection[str]
	first: date
	last: date
	employees: Collection[str] | None = None
	"""None: everybody."""
	covers: Callable[[Key], bool] = lambda key: True


def keep(findings: Iterable[Finding], scope: Scope) -> None:
	"""Bring the record in line with what was found. A number of statements that depends on nothing.

	Until the transaction ends nobody else does, so what it reads is what stands. Whoever has it counted, what
	is on record is in the language of the site.
	"""
	with in_site_language():
		_keep(first_by_key(findings), scope)


def _keep(found: Mapping[Key, Finding], scope: Scope) -> None:
	hold()
	standing = {_key(row): row for row in _standing(scope)}
	new = [finding for key, finding in found.items() if key not in standing]
	again = [(standing[key], finding) for key, finding in found.items() if key in standing]
	_insert(new)
	_tell_anew([(row, finding) for row, finding in again if _is_told_otherwise(row, finding)])
	_reopen([row.name for row, finding in again if _is_news(row, finding)])
	_close(
		[
			row.name
			for key, row in standing.items()
			if row.state == OPEN and key not in found and scope.covers(key)
		]
	)


def hold() -> None:
	"""Wait until nobody else changes the record, and keep it so until the transaction ends."""
	frappe.db.sql("SELECT `name` FROM `tabDocType` WHERE `name` = %s FOR UPDATE", DOCTYPE)


def employee_deleted(employee: Any, method: str | None = None) -> None:
	"""Document event `on_trash` of Employee: nothing of a person outlives them here."""
	names = frappe.get_all(DOCTYPE, filters={"employee": employee.name}, pluck="name")
	if names:
		frappe.db.delete("Comment", {"reference_doctype": DOCTYPE, "reference_name": ("in", names)})
		frappe.db.delete(PUNCH, {"parent": ("in", names)})
		frappe.db.delete(DOCTYPE, {"name": ("in", names)})


def _standing(scope: Scope) -> list[Any]:
	of_people = " AND `employee` IN %(employees)s" if scope.employees is not None else ""
	# Locked, so that what the one before us wrote is seen, or, under snapshot isolation, we begin again.
	rows: list[Any] = frappe.db.sql(
		"SELECT `name`, `employee`, `attendance_date`, `shift`, `kind`, `state`, `by_itself`,"  # noqa: S608
		f" {', '.join(f'`{column}`' for column in _TOLD)} FROM `tab{DOCTYPE}`"
		f" WHERE `kind` IN %(kinds)s AND `attendance_date` BETWEEN %(first)s AND %(last)s{of_people}"
		" FOR UPDATE",
		{
			"kinds": tuple(scope.kinds),
			"first": scope.first,
			"last": scope.last,
			"employees": tuple(scope.employees or ("",)),
		},
		as_dict=True,
	)
	return rows


def _key(row: Any) -> Key:
	return row.employee, row.attendance_date, row.shift or "", row.kind


def _is_told_otherwise(row: Any, finding: Finding) -> bool:
	return any((row[column] or None) != (value or None) for column, value in _told(finding).items())


def _is_news(row: Any, finding: Finding) -> bool:
	return row.state != OPEN and (bool(row.by_itself) or row.evidence != finding.evidence)


def _told(finding: Finding) -> dict[str, Any]:
	advice = words.advice(finding.kind)
	told = {"reason": words.plain(finding.reason), "advice": words.plain(advice)}
	return {
		"reason": words.tell(finding.reason),
		"advice": words.tell(advice),
		"told": json.dumps(told, ensure_ascii=False),
		"attendance": finding.attendance,
		"until": finding.until,
		"others": finding.others,
		"evidence": finding.evidence,
	}


def _insert(findings: Sequence[Finding]) -> None:
	if not findings:
		return
	now, people = moments.now(), _people({finding.employee for finding in findings})
	names = {finding.key: frappe.generate_hash(length=10) for finding in findings}
	rows = [_row(names[finding.key], finding, people, now) for finding in findings]
	frappe.db.bulk_insert(DOCTYPE, list(rows[0]), [tuple(row.values()) for row in rows])
	_insert_punches([(names[finding.key], finding) for finding in findings], now)


def _row(name: str, finding: Finding, people: Mapping[str, Any], now: datetime) -> dict[str, Any]:
	person = people.get(finding.employee) or frappe._dict()
	return {
		"name": name,
		"creation": now,
		"modified": now,
		"owner": frappe.session.user,
		"modified_by": frappe.session.user,
		"employee": finding.employee,
		"employee_name": person.employee_name,
		"department": person.department,
		"company": person.company,
		"attendance_date": finding.date,
		"shift": finding.shift,
		"kind": finding.kind,
		"state": OPEN,
		"found_at": now,
		**_told(finding),
	}


def _people(names: Collection[str]) -> dict[str, Any]:
	fields = ["name", "employee_name", "department", "company"]
	rows = frappe.get_all("Employee", filters={"name": ("in", sorted(names))}, fields=fields, order_by=None)
	return {row.name: row for row in rows}


def _insert_punches(findings: Iterable[tuple[str, Finding]], now: datetime) -> None:
	columns = ("time", "log_type", "device", "employee_checkin", "punch_log")
	fixed = (
		"name",
		"creation",
		"modified",
		"owner",
		"modified_by",
		"parent",
		"parenttype",
		"parentfield",
		"idx",
	)
	user = frappe.session.user
	rows = [
		(
			frappe.generate_hash(length=10),
			now,
			now,
			user,
			user,
			name,
			DOCTYPE,
			"punches",
			place,
			*(getattr(punch, column) for column in columns),
		)
		for name, finding in findings
		for place, punch in enumerate(finding.punches, 1)
	]
	if rows:
		frappe.db.bulk_insert(PUNCH, [*fixed, *columns], rows)


def _tell_anew(changed: Sequence[tuple[Any, Finding]]) -> None:
	if not changed:
		return
	now = moments.now()
	names = [row.name for row, _finding in changed]
	values = [
		[row.name, *(str(value) if value else None for value in _told(finding).values())]
		for row, finding in changed
	]
	paths = ", ".join(
		f"`{column}` LONGTEXT PATH '$[{place}]'" for place, column in enumerate(("name", *_TOLD))
	)
	changes = ", ".join(f"`a`.`{column}` = `new`.`{column}`" for column in _TOLD)
	frappe.db.sql(
		f"UPDATE JSON_TABLE(%s, '$[*]' COLUMNS ({paths})) AS `new` STRAIGHT_JOIN `tab{DOCTYPE}` AS `a`"  # noqa: S608
		f" ON `a`.`name` = `new`.`name` COLLATE utf8mb4_unicode_ci SET {changes}, `a`.`modified` = %s",
		(json.dumps(values), now),
	)
	frappe.db.delete(PUNCH, {"parent": ("in", names)})
	_insert_punches([(row.name, finding) for row, finding in changed], now)


def _reopen(names: Sequence[str]) -> None:
	if not names:
		return
	frappe.db.sql(
		f"UPDATE `tab{DOCTYPE}` SET `state` = %s, `by_itself` = 0, `decided_by` = NULL, `decided_at` = NULL,"  # noqa: S608
		" `remark` = NULL, `reopened` = `reopened` + 1, `modified` = %s WHERE `name` IN %s",
		(OPEN, moments.now(), tuple(names)),
	)
	leave_trace(names, _("opened this again: it was found anew"), DOCTYPE)


def _close(names: Sequence[str]) -> None:
	if not names:
		return
	now = moments.now()
	frappe.db.sql(
		f"UPDATE `tab{DOCTYPE}` SET `state` = %s, `by_itself` = 1, `decided_at` = %s, `modified` = %s"  # noqa: S608
		" WHERE `name` IN %s",
		(RESOLVED, now, now, tuple(names)),
	)
	leave_trace(names, _("closed this: its cause is gone"), DOCTYPE)
