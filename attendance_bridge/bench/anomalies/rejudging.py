"""Has HRMS judge a day again, by HRMS's own means.

HRMS never changes an Attendance that is there: it judges check-ins that belong to none. So the Attendance is
cancelled, as a person of HR would do it, which lets its check-ins go; then HRMS's auto attendance makes a new
one of all of them. Where it would not make one, nothing is cancelled.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import get_datetime, getdate

from attendance_bridge.bench import background
from attendance_bridge.bench.reviewing import leave_trace

HRMS_SKIPPED = "Reason for skipping auto attendance:"
"""How the comment begins that HRMS leaves on a check-in which came after its day was judged."""


def judge_again(attendance: str) -> None:
	"""Cancel an Attendance and have the day judged anew in the background.

	:raises frappe.ValidationError: HRMS would not judge the day again; what stands in the way, in words.
	:raises frappe.PermissionError: the user may not cancel it.
	"""
	document = frappe.get_doc("Attendance", attendance)
	document.check_permission("cancel")
	checkins = _checkins(document)
	refused = _why_not(document, checkins)
	if refused:
		frappe.throw(refused)
	_let_count([row.name for row in checkins if row.skip_auto_attendance])
	with quietly():
		document.cancel()
	background.queue_judge(document.shift)


def judge(shift: str) -> None:
	"""Background job: what HRMS does every hour for a shift, now."""
	# As the scheduler does: somebody whose permissions end at one company would stop it at the first person
	# of another.
	frappe.set_user("Administrator")
	frappe.get_doc("Shift Type", shift).process_auto_attendance()


@contextmanager
def quietly() -> Iterator[None]:
	"""HRMS has a message for each document; of many nobody would read one."""
	muted = frappe.flags.mute_messages
	frappe.flags.mute_messages = True
	try:
		yield
	finally:
		frappe.flags.mute_messages = muted


def _checkins(attendance: Any) -> list[Any]:
	"""The check-ins of the day and shift of an Attendance, those that HRMS has skipped too."""
	start = datetime.combine(getdate(attendance.attendance_date), time())
	return frappe.get_all(  # type: ignore[no-any-return]
		"Employee Checkin",
		filters={
			"employee": attendance.employee,
			"shift": attendance.shift or "",
			"shift_start": ("between", (start, start + timedelta(days=1, microseconds=-1))),
		},
		fields=["name", "time", "shift_actual_end", "skip_auto_attendance", "offshift", "attendance"],
		order_by="time",
	)


def _why_not(attendance: Any, checkins: Sequence[Any]) -> str:
	"""What keeps HRMS from making an Attendance of this day again, in words; empty if nothing does."""
	day = frappe.format(attendance.attendance_date, "Date")
	if attendance.docstatus != 1:
		return _("The Attendance of {0} is not submitted.").format(day)
	if attendance.leave_application:
		return _("{0} is leave. Change or cancel the Leave Application.").format(day)
	if attendance.attendance_request:
		return _("{0} was corrected by the Attendance Request {1}. Cancel that first.").format(
			day, attendance.attendance_request
		)
	if not attendance.shift or not checkins:
		return _("The Attendance of {0} was not made of check-ins: HRMS would not make it again.").format(day)
	shift = frappe.get_cached_doc("Shift Type", attendance.shift)
	judged = shift.enable_auto_attendance and shift.process_attendance_after and shift.last_sync_of_checkin
	if not judged or not all(
		get_datetime(shift.process_attendance_after) <= row.time
		and row.shift_actual_end < get_datetime(shift.last_sync_of_checkin)
		and not row.offshift
		for row in checkins
	):
		return _("Auto attendance of the shift {0} does not reach {1}.").format(shift.name, day)
	if not shift.should_mark_attendance(attendance.employee, getdate(attendance.attendance_date)):
		return _("{0} is a holiday, on which HRMS marks no attendance.").format(day)
	return ""


def _let_count(checkins: Sequence[str]) -> None:
	"""Take back that HRMS skipped these check-ins, where it did so by itself: they came late. What a person
	has set to be skipped stays."""
	if not checkins:
		return
	words = {HRMS_SKIPPED, _(HRMS_SKIPPED), _(HRMS_SKIPPED, lang=frappe.get_system_settings("language"))}
	comments = frappe.get_all(
		"Comment",
		filters={"reference_doctype": "Employee Checkin", "reference_name": ("in", checkins)},
		fields=["reference_name", "content"],
		order_by=None,
	)
	skipped = sorted(
		{row.reference_name for row in comments if any(each in (row.content or "") for each in words)}
	)
	for name in skipped:
		checkin = frappe.get_doc("Employee Checkin", name)
		checkin.skip_auto_attendance = 0
		checkin.save()
	leave_trace(skipped, _("had the day judged again, with this check-in"), "Employee Checkin")
