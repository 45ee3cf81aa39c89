"""Erasing face templates: here at once, at every agent when it next asks, with a record that proves both.

An erasure of somebody reaches what was captured up to its moment. Acts that say "within a turn" are run by
`turn.alone`, or within a transaction that holds nothing up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from enum import Enum
from typing import Any
from uuid import UUID

import frappe
from frappe.utils import add_days, cint, getdate

from attendance_bridge.bench import consents, moments, turn, vault
from attendance_bridge.bench.consents import End
from attendance_bridge.core.consent import digest_of

DOCTYPE = "Biometric Erasure"
SETTINGS = "Attendance Bridge Settings"
AT_ONCE = 500
"""How many erasures an agent is handed, or confirms, in one request."""


class Reason(str, Enum):
	WITHDRAWN = "Withdrawn"
	LEFT = "Left"
	REQUESTED = "Requested"
	REPLACED = "Replaced"
	"""Newer ones of the same person and model took their place, on the site only."""
	NOT_CENTRAL = "Not Central"
	"""The site keeps none any more; agents keep theirs."""


_OF_THE_PERSON = (Reason.WITHDRAWN, Reason.LEFT, Reason.REQUESTED)
"""These reach everything of somebody, everywhere."""


def keeps_templates() -> bool:
	"""Whether the site holds templates at all, as Attendance Bridge Settings say."""
	return not cint(frappe.db.get_single_value(SETTINGS, "keep_no_templates"))


def withdraw(employee: str, *, at: datetime, by: str) -> bool:
	"""Take back somebody's consents up to a moment (aware), and erase; within a turn.

	:returns: False if that was known already.
	"""
	known = bool(last_erased([employee], Reason.WITHDRAWN))
	if not consents.end(employee, at, by, End.WITHDRAWN) and known and not _captured_until(employee, at):
		return False
	erase(employee, Reason.WITHDRAWN, at=at, by=by)
	return True


def request(employee: str, *, at: datetime, by: str) -> bool:
	"""Erase what was captured of somebody up to a moment (aware), leaving consents alone; within a turn.

	:returns: False if an erasure as late is there already.
	"""
	last = last_erased([employee]).get(employee)
	if last is not None and last >= moments.to_utc(at):
		return False
	erase(employee, Reason.REQUESTED, at=at, by=by)
	return True


def withdraw_at_the_desk(employee: str) -> None:
	"""Withdraw now, as the session's user; commits. The caller answers for the permission."""
	by = frappe.session.user
	turn.alone(lambda: withdraw(employee, at=_this_second(), by=by))


def erase_at_the_desk(employee: str) -> None:
	"""Erase now, as the session's user; commits. The caller answers for the permission."""
	by = frappe.session.user
	turn.alone(lambda: erase(employee, Reason.REQUESTED, at=_this_second(), by=by))


def erase(employee: str, reason: Reason, *, at: datetime, by: str, names: Sequence[str] | None = None) -> str:
	"""Erase and write it down; within a turn. Returns the name of the record.

	:param at: aware, whole seconds.
	:param names: only these Face Templates; all that were captured up to `at` otherwise.
	"""
	if names is None:
		names = _captured_until(employee, at)
	vault.erase(names)
	if names:
		# No copy goes to Deleted Document.
		frappe.db.delete("Face Template", {"name": ("in", list(names))})
	agents = frappe.get_all("Edge Agent", pluck="name") if reason in _OF_THE_PERSON else []
	document = frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"employee": employee,
			"employee_name": frappe.db.get_value("Employee", employee, "employee_name"),
			"erased_at": moments.to_site(at),
			"erased_utc": moments.to_utc(at),
			"reason": reason.value,
			"erased_by": by[:140],
			"templates": len(names),
			"ids_sha256": digest_of(map(UUID, names)),
			"id_hashes": "\n".join(sorted(hashlib.sha256(UUID(name).bytes).hexdigest() for name in names)),
			"unconfirmed": len(agents),
			"confirmations": [{"agent": agent} for agent in agents],
		}
	)
	document.flags.by_erasing = True
	return document.insert(ignore_permissions=True, ignore_links=True).name


def last_erased(employees: Sequence[str], *reasons: Reason) -> dict[str, datetime]:
	"""Up to when the last erasure of each of these people reaches; naive, in UTC.

	:param reasons: of those that reach everything of a person, only these; all by default.
	"""
	if not employees:
		return {}
	wanted = [reason.value for reason in reasons or _OF_THE_PERSON]
	return dict(
		frappe.db.sql(
			"SELECT `employee`, MAX(`erased_utc`) FROM `tabBiometric Erasure`"
			" WHERE `employee` IN %s AND `reason` IN %s GROUP BY `employee`",
			(list(employees), wanted),
		)
	)


def outstanding(agent: str) -> list[Any]:
	"""What an agent has not confirmed, the oldest first: `name`, `employee`, `reason`, `erased_utc`."""
	rows: list[Any] = frappe.db.sql(
		"SELECT e.`name`, e.`employee`, e.`reason`, e.`erased_utc` FROM `tabErasure Confirmation` c"
		" JOIN `tabBiometric Erasure` e ON e.`name` = c.`parent`"
		" WHERE c.`agent` = %s AND c.`confirmed_at` IS NULL ORDER BY e.`erased_utc`, e.`name` LIMIT %s",
		(agent, AT_ONCE),
		as_dict=True,
	)
	return rows


def confirm(
	agent: str, erasure: str, *, at: datetime, templates: int, traces_gone_at: datetime | None
) -> bool:
	"""An agent holds nothing any more that an erasure reaches; within a turn.

	:returns: False if it had said so before, or was never asked.
	"""
	row = frappe.db.get_value(
		"Erasure Confirmation", {"parent": erasure, "agent": agent}, ("name", "confirmed_at"), as_dict=True
	)
	if row is None:
		return False
	values: dict[str, Any] = {}
	if row.confirmed_at is None:
		values |= {"confirmed_at": moments.to_site(at), "templates": templates}
	if traces_gone_at is not None:
		values["traces_gone_at"] = moments.to_site(traces_gone_at)
	if values:
		frappe.db.set_value("Erasure Confirmation", row.name, values)
	if row.confirmed_at is not None:
		return False
	left = {"parent": erasure, "confirmed_at": ("is", "not set")}
	frappe.db.set_value(DOCTYPE, erasure, "unconfirmed", frappe.db.count("Erasure Confirmation", left))
	return True


def clean_up() -> None:
	"""Scheduled nightly, and queued when the settings change or somebody leaves: retention, and what the site
	may not keep. Commits after each person."""
	erase_leavers()
	if not keeps_templates():
		forget_central()


def erase_leavers() -> int:
	"""Erase whoever left the company, once the time of retention is over; returns how many people."""
	days = cint(frappe.db.get_single_value(SETTINGS, "face_retention_days"))
	today = getdate(moments.now())
	left = frappe.db.sql(
		"SELECT e.`name`, e.`relieving_date` FROM `tabEmployee` e WHERE e.`status` = 'Left' AND ("
		" EXISTS (SELECT 1 FROM `tabFace Template` t WHERE t.`employee` = e.`name`)"
		" OR EXISTS (SELECT 1 FROM `tabFace Consent` c"
		" WHERE c.`employee` = e.`name` AND c.`withdrawn_at` IS NULL))",
		as_dict=True,
	)
	due = [row.name for row in left if not row.relieving_date or add_days(row.relieving_date, days) <= today]
	for employee in due:
		turn.alone(lambda employee=employee: _part(employee))
	return len(due)


def forget_central() -> int:
	"""Erase every template that the site holds; returns of how many people."""
	people = frappe.db.sql_list("SELECT DISTINCT `employee` FROM `tabFace Template`")
	for employee in people:
		turn.alone(
			lambda employee=employee: erase(
				employee, Reason.NOT_CENTRAL, at=_this_second(), by=frappe.session.user
			)
		)
	return len(people)


def employee_changed(document: Any, method: str | None = None) -> None:
	"""Document event `on_update` of Employee: somebody may have left."""
	if document.status == "Left" and document.has_value_changed("status"):
		queue_clean_up()


def employee_deleted(document: Any, method: str | None = None) -> None:
	"""Document event `on_trash` of Employee: nothing of their face stays, and the records do."""
	if frappe.db.exists(consents.DOCTYPE, {"employee": document.name}):
		_part(document.name)


def employee_renamed(document: Any, method: str | None, old: str, new: str, merge: bool = False) -> None:
	"""Document event `after_rename` of Employee: what is sealed is bound to the name.

	Agents know the templates by the former name, and nobody would ever tell them of its end. So they are
	told to erase what they have under it; what stays is handed to them under the new one.
	"""
	fields = ["name", "employee", "model"]
	vault.rename(frappe.get_all("Face Template", filters={"employee": new}, fields=fields), old)
	if frappe.db.exists(consents.DOCTYPE, {"employee": new}):
		erase(old, Reason.REQUESTED, at=_this_second(), by=frappe.session.user)


def queue_clean_up() -> None:
	"""Queue `clean_up` once the transaction is committed."""
	frappe.enqueue(
		"attendance_bridge.bench.erasing.clean_up",
		queue="long",
		job_id="attendance_bridge:clean_up",
		deduplicate=True,
		enqueue_after_commit=True,
	)


def _captured_until(employee: str, at: datetime) -> list[str]:
	return frappe.db.sql_list(
		"SELECT `name` FROM `tabFace Template` WHERE `employee` = %s AND `captured_utc` <= %s FOR UPDATE",
		(employee, moments.to_utc(at)),
	)


def _part(employee: str) -> None:
	at, by = _this_second(), frappe.session.user
	consents.end(employee, at, by, End.LEFT)
	erase(employee, Reason.LEFT, at=at, by=by)


def _this_second() -> datetime:
	"""The present second; what was captured within it is reached by an erasure."""
	return moments.utc_now().replace(microsecond=0)
