"""Corrects days by what HRMS offers: an Attendance Request, a missing check-in, a judgement anew.

What each of them does to a day stands in docs/workdays.md. Every act is on record at the anomaly and at the
document that it made; acts do not commit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import escape_html, get_datetime, getdate, now_datetime, strip_html

from attendance_bridge.bench import compat
from attendance_bridge.bench.anomalies import deciding, words
from attendance_bridge.bench.anomalies.register import DOCTYPE, OPEN, RESOLVED
from attendance_bridge.bench.anomalies.rejudging import judge_again, quietly
from attendance_bridge.bench.reviewing import leave_trace
from attendance_bridge.bench.workdays import due

MOST_AT_ONCE = 100
"""Days that are corrected in one go: each makes documents of HRMS."""

REQUEST_REASONS = ("On Duty", "Work From Home")
"""Those that an Attendance Request knows."""

_LATEST_OUT = timedelta(days=2)
"""From the beginning of a date: a night shift may end late on the next."""

_BY_REQUEST = tuple(kind for code, kind in words.OF_DAY.items() if code != "punch_on_leave")
"""What is settled when the day is corrected by an Attendance Request; of a leave HRMS makes nothing."""


@dataclass(slots=True)
class Corrected:
	made: list[str] = field(default_factory=list)
	"""Names of documents that were made, or of the Attendances that are judged again."""
	refused: list[str] = field(default_factory=list)
	"""What HRMS has against the others, in words."""


def request(rows: Sequence[Any], reason: str, explanation: str) -> Corrected:
	"""A draft of an Attendance Request for each day of these anomalies.

	:param rows: of Attendance Anomaly, which the user decides about.
	:raises frappe.PermissionError: the user may make no Attendance Request.
	"""
	frappe.has_permission("Attendance Request", "create", throw=True)
	if reason not in REQUEST_REASONS:
		frappe.throw(_("{0} is no reason of an Attendance Request.").format(frappe.bold(escape_html(reason))))
	corrected = Corrected()
	for (employee, day), of_day in _by_day(rows).items():
		with _refusals(corrected, employee, day):
			document = frappe.get_doc(_request(employee, day, of_day, reason, explanation))
			# User Permissions may tie a head of department to their own record. Whose days these are was
			# asked already, and a draft changes nothing before HR submits it.
			document.insert(ignore_permissions=True)
			names = [row.name for row in of_day]
			frappe.db.set_value(DOCTYPE, {"name": ("in", names)}, "attendance_request", document.name)
			leave_trace(names, _("drafted the Attendance Request {0}").format(document.name), DOCTYPE)
			corrected.made.append(document.name)
	return corrected


def _request(employee: str, day: date, rows: Sequence[Any], reason: str, explanation: str) -> dict[str, Any]:
	shifts = {row.shift for row in rows if row.shift}
	return {
		"doctype": "Attendance Request",
		"employee": employee,
		"company": frappe.db.get_value("Employee", employee, "company"),
		"from_date": day,
		"to_date": day,
		"shift": shifts.pop() if len(shifts) == 1 else None,
		"include_holidays": int(any(row.kind == words.OF_DAY["punch_on_day_off"] for row in rows)),
		"reason": reason,
		"explanation": explanation.strip() or "\n".join(dict.fromkeys(row.reason for row in rows)),
	}


def judge_days_again(rows: Sequence[Any]) -> Corrected:
	"""Have HRMS judge the days of these anomalies again.

	:param rows: of Attendance Anomaly, which the user decides about.
	"""
	corrected = Corrected()
	attendances = {row.attendance: row for row in rows if row.attendance}
	for row in rows:
		if not row.attendance:
			corrected.refused.append(
				_label(row.employee, row.attendance_date, _("HRMS has not judged it yet."))
			)
	for attendance, row in attendances.items():
		with _refusals(corrected, row.employee, row.attendance_date):
			judge_again(attendance)
			names = [each.name for each in rows if each.attendance == attendance]
			leave_trace(names, _("had the day judged again"), DOCTYPE)
			corrected.made.append(attendance)
	return corrected


def add_punch(row: Any, time: str, log_type: str, why: str) -> str:
	"""Add a check-in that no terminal has brought, marked as made by hand; returns its name.

	Where HRMS has judged the day, it is judged again.

	:param row: of Attendance Anomaly, which the user decides about.
	:param time: in site time, on the date of the anomaly or the next.
	:raises frappe.ValidationError: the time is none of the day, or HRMS would not judge the day again.
	:raises frappe.PermissionError: the user may make no check-in of that person.
	"""
	why = deciding.checked_remark(why)
	moment = _moment_of(row, time)
	if log_type not in ("IN", "OUT"):
		frappe.throw(_("A punch is IN or OUT."))
	checkin = frappe.get_doc(
		{
			"doctype": "Employee Checkin",
			"employee": row.employee,
			"time": moment,
			"log_type": log_type,
			"bridge_added_by": frappe.session.user,
			"bridge_added_why": why,
		}
	).insert()
	if row.attendance:
		_belongs(checkin, row)
		judge_again(row.attendance)
	trace = _("added an {0} at {1} by hand, {2}: {3}").format(
		log_type, words.clock(moment), checkin.name, escape_html(why)
	)
	leave_trace([row.name], trace, DOCTYPE)
	leave_trace([checkin.name], _("added this by hand: {0}").format(escape_html(why)), "Employee Checkin")
	return str(checkin.name)


def request_submitted(document: Any, method: str | None = None) -> None:
	"""Document event `on_submit` of Attendance Request: its days are settled, and counted again.

	HRMS changes the status of an Attendance without telling anybody.
	"""
	_count_anew(document)
	names = _of_request(document, OPEN, kind=("in", _BY_REQUEST))
	if names:
		remark = _("The Attendance Request {0} was submitted").format(document.name)
		deciding.write(names, state=RESOLVED, remark=remark, attendance_request=document.name)
		leave_trace(names, _("resolved this by the Attendance Request {0}").format(document.name), DOCTYPE)


def request_cancelled(document: Any, method: str | None = None) -> None:
	"""Document event `on_cancel`: what the request had settled is open again."""
	_count_anew(document)
	names = _of_request(document, RESOLVED, attendance_request=document.name)
	if names:
		deciding.write(names, state=OPEN, remark="", attendance_request=None)
		trace = _("opened this again: the Attendance Request {0} was cancelled").format(document.name)
		leave_trace(names, trace, DOCTYPE)


def _count_anew(request: Any) -> None:
	days = (getdate(request.from_date), getdate(request.to_date))
	due.mark_days((request.employee, day) for day in days)


def _of_request(document: Any, state: str, **more: Any) -> list[str]:
	return frappe.get_all(  # type: ignore[no-any-return]
		DOCTYPE,
		filters={
			"employee": document.employee,
			"attendance_date": ("between", (document.from_date, document.to_date)),
			"state": state,
			**more,
		},
		pluck="name",
	)


def _by_day(rows: Iterable[Any]) -> dict[tuple[str, date], list[Any]]:
	found: dict[tuple[str, date], list[Any]] = defaultdict(list)
	for row in rows:
		found[row.employee, row.attendance_date].append(row)
	return found


def _moment_of(row: Any, time: str) -> datetime:
	try:
		moment = get_datetime(time)
	except (ValueError, OverflowError):
		moment = None
	if moment is None or moment.tzinfo is not None:
		frappe.throw(_("This is no time: {0}").format(escape_html(str(time)[:40])))
	begins = get_datetime(row.attendance_date)
	if not begins <= moment < begins + _LATEST_OUT or moment > now_datetime():
		frappe.throw(
			_("The punch must be of the day of the anomaly, or of the night after it, and not to come.")
		)
	return moment.replace(microsecond=0)  # type: ignore[no-any-return]


def _belongs(checkin: Any, row: Any) -> None:
	"""
	:raises frappe.ValidationError: HRMS counts the check-in to another shift than the Attendance's.
	"""
	shift = frappe.db.get_value("Attendance", row.attendance, "shift")
	of_day = checkin.shift_start and getdate(checkin.shift_start) == row.attendance_date
	if checkin.shift != shift or not of_day:
		frappe.throw(
			_("A punch at this time does not belong to the shift of the day: HRMS would not count it there.")
		)


@contextmanager
def _refusals(corrected: Corrected, employee: str, day: date) -> Iterator[None]:
	"""What HRMS refuses leaves nothing behind and is kept in words; the next goes on."""
	point = f"correct_{frappe.generate_hash(length=8)}"
	frappe.db.savepoint(point)
	try:
		with quietly():
			yield
	except frappe.ValidationError as error:
		frappe.db.rollback(save_point=point)
		corrected.refused.append(_label(employee, day, compat.words_of(error)))


def _label(employee: str, day: date, words: str) -> str:
	plain = " ".join(strip_html(words).split())
	return f"{employee}, {frappe.format(day, 'Date')}: {plain}"
