"""Who sees which anomalies, and who decides about them.

Whoever sees a person's punches sees what is to be looked at in them, the person too. Only that somebody's
punches come together with those of others is not told to the one it is about: it is no fact before somebody
has looked. HR decides about everybody, the head of a department about their people, and nobody about their
own days.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench.anomalies import words
from attendance_bridge.bench.anomalies.register import DOCTYPE
from attendance_bridge.bench.permissions import approved_employees, visible_employees

HR = frozenset({"HR Manager", "HR User"})


def conditions(user: str | None = None, doctype: str | None = None) -> str:
	"""Hook `permission_query_conditions`: the condition of a list, empty if everything is seen."""
	user = user or frappe.session.user
	visible = visible_employees(user)
	if visible is None:
		return ""
	if not visible:
		return "1 = 0"
	table = f"`tab{DOCTYPE}`"
	seen = f"{table}.`employee` IN ({_quoted(visible)})"
	own = own_employees(user)
	if own:
		hidden = frappe.db.escape(words.TOGETHER)
		seen += f" AND NOT ({table}.`kind` = {hidden} AND {table}.`employee` IN ({_quoted(own)}))"
	return f"({seen})"


def punch_conditions(user: str | None = None, doctype: str | None = None) -> str:
	"""Hook `permission_query_conditions` of the table, which Frappe lists to whoever may read one anomaly."""
	of_parents = conditions(user)
	if not of_parents:
		return ""
	return f"`tab{DOCTYPE} Punch`.`parent` IN (SELECT `name` FROM `tab{DOCTYPE}` WHERE {of_parents})"  # noqa: S608


def may_see(doc: Any, ptype: str | None = None, user: str | None = None, **_more: Any) -> bool:
	"""Hook `has_permission`: the same for one document. It can only deny; rights come from the roles."""
	user = user or frappe.session.user
	visible = visible_employees(user)
	if visible is None:
		return True
	if not isinstance(doc, str) and not doc.get("name"):
		return True  # asked about the doctype: the condition of the list does the rest
	row = (
		frappe.db.get_value(DOCTYPE, doc, ["employee", "kind"], as_dict=True) if isinstance(doc, str) else doc
	)
	if row is None or row.get("employee") not in visible:
		return False
	return row.get("kind") != words.TOGETHER or row.get("employee") not in own_employees(user)


def own_employees(user: str) -> list[str]:
	"""Who somebody is."""
	return frappe.get_all("Employee", filters={"user_id": user}, pluck="name") if user != "Guest" else []


def visible_rows(names: Sequence[str]) -> list[Any]:
	"""The rows of some anomalies, all of which the user may see.

	:raises frappe.PermissionError: one of them is not for the user.
	"""
	rows: list[Any] = frappe.get_list(
		DOCTYPE,
		filters={"name": ("in", list(names))},
		fields=[
			"name",
			"employee",
			"company",
			"attendance_date",
			"shift",
			"kind",
			"state",
			"reason",
			"attendance",
		],
		order_by="employee, attendance_date, name",
		limit_page_length=0,
	)
	if len(rows) < len(set(names)):
		raise frappe.PermissionError
	return rows


def rows_to_decide(names: Sequence[str]) -> list[Any]:
	"""The same, of anomalies that the user decides about.

	:raises frappe.PermissionError: the user may see one of them, and not decide about it.
	"""
	user = frappe.session.user
	rows = visible_rows(names)
	if user == "Administrator":
		return rows
	own = own_employees(user)
	if any(row.employee in own for row in rows):
		frappe.throw(_("Nobody decides about their own days. Somebody else has to."), frappe.PermissionError)
	if not HR.isdisjoint(frappe.get_roles(user)):
		return rows
	# A System Manager reads, and so does whom somebody reports to without approving their leave.
	if not {row.employee for row in rows} <= set(approved_employees(user)):
		raise frappe.PermissionError
	return rows


def _quoted(names: Sequence[str]) -> str:
	return ", ".join(frappe.db.escape(name, percent=False) for name in names)
