"""What a person does about a punch that did not become a check-in: try again, believe its time, set it aside.

The punch itself never changes; each act leaves a comment on it that says who did what, and when. What is put
back is decided anew by the projection. Acts do not commit, and answer with the number of punches that stood
where the act begins: somebody else may have been quicker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import frappe
from frappe import _
from frappe.utils import escape_html

from attendance_bridge.bench import background, devices, moments, punch_rows

MOST_AT_ONCE = 1000
"""Punches that one act takes by name."""
LONGEST_REASON = 120

SET_ASIDE = "set_aside"
"""Reason code of an ignored punch, followed by a colon and the words of whoever did it."""

CHECKIN_DELETED = "checkin_deleted"
"""Reason code of a punch whose check-in somebody has deleted."""

_TO_IGNORE = ("Unmapped", "Quarantined", "Rejected")

_COMMENT_COLUMNS = (
	"name",
	"creation",
	"modified",
	"owner",
	"modified_by",
	"comment_type",
	"comment_email",
	"comment_by",
	"reference_doctype",
	"reference_name",
	"content",
)


def retry(punches: Sequence[str]) -> int:
	"""Put rejected punches back: what HRMS refused may have been removed meanwhile."""
	return _put_back(punches, "Rejected", "", _("asked for another try"))


def approve_time(punches: Sequence[str]) -> int:
	"""Believe the times of quarantined punches."""
	return _put_back(punches, "Quarantined", "`time_approved` = 1, ", _("approved the time"))


def take_back(punches: Sequence[str]) -> int:
	"""Ignored punches are to be decided after all."""
	return _put_back(punches, "Ignored", "", _("no longer ignores this punch"))


def ignore(punches: Sequence[str], reason: str) -> int:
	"""Punches are no check-ins of anybody.

	:param reason: in the words of whoever says so.
	:raises frappe.ValidationError: it is empty or too long.
	"""
	reason = " ".join(reason.split())
	if not reason:
		frappe.throw(_("Say why, for whoever asks later."))
	if len(reason) > LONGEST_REASON:
		frappe.throw(_("A reason must not be longer than {0} characters.").format(LONGEST_REASON))
	standing = _standing(punches, _TO_IGNORE)
	for chunk in punch_rows.chunks(standing):
		# Without a direction: later punches of the person must not rest on one that does not count.
		frappe.db.sql(
			"UPDATE `tabPunch Log` SET `status` = 'Ignored', `status_reason` = %s, `log_type` = NULL,"
			" `log_type_reason` = NULL, `modified` = %s, `modified_by` = %s WHERE `name` IN %s",
			(f"{SET_ASIDE}:{punch_rows.storable(reason)}", moments.now(), frappe.session.user, chunk),
		)
	leave_trace(standing, _("ignored this punch: {0}").format(escape_html(reason)))
	return len(standing)


def checkin_deleted(document: Any, method: str | None = None) -> None:
	"""Document event `on_trash` of Employee Checkin: its punches are ignored until that is taken back."""
	punches = frappe.db.sql_list(
		"SELECT `name` FROM `tabPunch Log` WHERE `employee_checkin` = %s FOR UPDATE", document.name
	)
	if not punches:
		return
	frappe.db.sql(
		"UPDATE `tabPunch Log` SET `status` = 'Ignored', `status_reason` = %s, `employee_checkin` = NULL,"
		" `log_type` = NULL, `log_type_reason` = NULL, `modified` = %s, `modified_by` = %s"
		" WHERE `name` IN %s",
		(CHECKIN_DELETED, moments.now(), frappe.session.user, punches),
	)
	leave_trace(punches, _("deleted the check-in {0}").format(escape_html(document.name)))


def ignore_id(attendance_device_id: str, reason: str) -> int:
	"""Ignore all unmapped punches of one id; those that come later are unmapped again.

	:param attendance_device_id: with the prefix of the terminal, as in `unmapped.UnmappedGroup`.
	"""
	return ignore(_unmapped_punches(attendance_device_id), reason)


def _put_back(punches: Sequence[str], status: str, assignment: str, trace: str) -> int:
	standing = _standing(punches, (status,))
	for chunk in punch_rows.chunks(standing):
		frappe.db.sql(
			f"UPDATE `tabPunch Log` SET {assignment}{punch_rows.CLEAN_SHEET},"  # noqa: S608
			" `modified` = %s, `modified_by` = %s WHERE `name` IN %s",
			(moments.now(), frappe.session.user, chunk),
		)
	leave_trace(standing, trace)
	if standing:
		background.queue_carry_on()
	return len(standing)


def _standing(punches: Sequence[str], statuses: Sequence[str]) -> list[str]:
	"""Those of the punches that stand in one of the statuses, locked."""
	return [
		name
		for chunk in punch_rows.chunks(sorted(set(punches)))
		for name in frappe.db.sql_list(
			"SELECT `name` FROM `tabPunch Log` WHERE `name` IN %s AND `status` IN %s FOR UPDATE",
			(chunk, statuses),
		)
	]


def _unmapped_punches(attendance_device_id: str) -> list[str]:
	"""Names of the unmapped punches of one id, byte for byte."""
	serials: dict[str, list[str]] = {}
	for serial, policy in devices.policies().items():
		serials.setdefault(policy.user_id_prefix, []).append(serial)
	prefixed = [serial for prefix, of_prefix in serials.items() if prefix for serial in of_prefix]
	names = _punches_of(attendance_device_id, "NOT IN", prefixed)
	for prefix, of_prefix in serials.items():
		if prefix and attendance_device_id.startswith(prefix):
			names += _punches_of(attendance_device_id[len(prefix) :], "IN", of_prefix)
	return names


def _punches_of(device_user_id: str, within: str, serials: Sequence[str]) -> list[str]:
	stored = punch_rows.storable(device_user_id)
	return frappe.db.sql_list(
		"SELECT `name` FROM `tabPunch Log` WHERE `device_user_id` = %s AND `status` = 'Unmapped'"  # noqa: S608
		f" AND CAST(`device_user_id` AS BINARY) = CAST(%s AS BINARY) AND `device_serial` {within} %s",
		(stored, stored, [punch_rows.storable(serial) for serial in serials] or [""]),
	)


def leave_trace(names: Sequence[str], content: str, doctype: str = "Punch Log") -> None:
	"""A comment on each of some documents: what the user did with them."""
	if not names:
		return
	now, user = moments.now(), frappe.session.user
	full_name = frappe.utils.get_fullname(user)
	rows: list[tuple[Any, ...]] = [
		(
			frappe.generate_hash(length=10),
			now,
			now,
			user,
			user,
			"Info",
			user,
			full_name,
			doctype,
			name,
			content,
		)
		for name in names
	]
	frappe.db.bulk_insert("Comment", _COMMENT_COLUMNS, rows)
