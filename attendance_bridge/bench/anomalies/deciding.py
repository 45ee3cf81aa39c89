"""What a person says about anomalies: it is settled, it is none, it is to be looked at again.

Each act leaves a comment that says who did what, when and why. Acts do not commit, and answer with the number
of anomalies that stood where the act begins: somebody else may have been quicker.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import frappe
from frappe import _
from frappe.utils import escape_html

from attendance_bridge.bench import moments, punch_rows
from attendance_bridge.bench.anomalies.register import DISMISSED, DOCTYPE, OPEN, RESOLVED, hold
from attendance_bridge.bench.reviewing import leave_trace

LONGEST_REMARK = 500


def dismiss(names: Sequence[str], remark: str) -> int:
	"""It is all right as it is.

	:raises frappe.ValidationError: there is no remark, or it is too long.
	"""
	return _decide(names, (OPEN,), DISMISSED, checked_remark(remark), _("dismissed this: {0}"))


def resolve(names: Sequence[str], remark: str) -> int:
	"""It was wrong and has been settled.

	:raises frappe.ValidationError: there is no remark, or it is too long.
	"""
	return _decide(names, (OPEN,), RESOLVED, checked_remark(remark), _("resolved this: {0}"))


def reopen(names: Sequence[str], remark: str) -> int:
	"""It is to be looked at again.

	:raises frappe.ValidationError: there is no remark, or it is too long.
	"""
	return _decide(names, (RESOLVED, DISMISSED), OPEN, checked_remark(remark), _("opened this again: {0}"))


def checked_remark(remark: str) -> str:
	"""A remark in one line, as it is stored.

	:raises frappe.ValidationError: it is empty or too long.
	"""
	remark = " ".join(remark.split())
	if not remark:
		frappe.throw(_("Say why, for whoever asks later."))
	if len(remark) > LONGEST_REMARK:
		frappe.throw(_("A remark must not be longer than {0} characters.").format(LONGEST_REMARK))
	return punch_rows.storable(remark)


def _decide(names: Sequence[str], begins: Sequence[str], state: str, remark: str, trace: str) -> int:
	hold()
	standing = frappe.db.sql_list(
		f"SELECT `name` FROM `tab{DOCTYPE}` WHERE `name` IN %s AND `state` IN %s FOR UPDATE",  # noqa: S608
		(tuple(names), tuple(begins)),
	)
	if not standing:
		return 0
	write(standing, state=state, remark=remark)
	leave_trace(standing, trace.format(escape_html(remark)), DOCTYPE)
	return len(standing)


def write(names: Sequence[str], *, state: str, remark: str, **values: Any) -> None:
	"""Set what became of anomalies, by the user and now; of an open one nobody has decided anything."""
	now, decided = moments.now(), state != OPEN
	changes = {
		"state": state,
		"by_itself": 0,
		"remark": remark if decided else None,
		"decided_by": frappe.session.user if decided else None,
		"decided_at": now if decided else None,
		"modified": now,
		"modified_by": frappe.session.user,
		**values,
	}
	if not decided:
		changes["reopened"] = frappe.qb.DocType(DOCTYPE).reopened + 1
	table = frappe.qb.DocType(DOCTYPE)
	query = frappe.qb.update(table).where(table.name.isin(list(names)))
	for column, value in changes.items():
		query = query.set(table[column], value)
	query.run()
