"""Who agreed to be recognised by face: told by agents or given at the desk, ended by withdrawing or leaving.

Moments count in whole seconds, in UTC: the columns ending in `_utc`. All of it happens within a turn
(`bench.turn`), so that nothing is taken under a consent that somebody else is just taking back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from typing import Any

import frappe

from attendance_bridge.bench import moments
from attendance_bridge.core.consent import Consent

DOCTYPE = "Face Consent"

_COLUMNS = (
	"`name`, `employee`, `given_utc`, `text_version`, `text_sha256`, `text_language`, `given_to`,"
	" `withdrawn_at`"
)


class End(str, Enum):
	WITHDRAWN = "Withdrawn"
	LEFT = "Left"


def latest(employees: Iterable[str]) -> dict[str, Any]:
	"""What each of these people agreed to last; whoever never did is missing.

	:returns: rows with `name`, `employee`, `given_utc`, `withdrawn_at` (None while it holds) and the text.
	"""
	wanted = list(employees)
	if not wanted:
		return {}
	rows = frappe.db.sql(
		f"SELECT {_COLUMNS} FROM `tabFace Consent` WHERE `employee` IN %s ORDER BY `given_utc`",  # noqa: S608
		(wanted,),
		as_dict=True,
	)
	return {row.employee: row for row in rows}


def find(employee: str, given_at: datetime) -> Any | None:
	"""The row of a consent by its identity: `name` and `withdrawn_at`."""
	wanted = {"employee": employee, "given_utc": moments.to_utc(given_at)}
	return frappe.db.get_value(DOCTYPE, wanted, ("name", "withdrawn_at"), as_dict=True)


def add(consent: Consent, agent: str) -> str:
	"""Enter a consent that an agent told of; returns its name."""
	document = frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"employee": consent.employee,
			"given_at": moments.to_site(consent.given_at),
			"given_utc": moments.to_utc(consent.given_at),
			"given_to": consent.given_to,
			"edge_agent": agent,
			"text_version": consent.text_version,
			"text_language": consent.text_language,
			"text_sha256": consent.text_sha256,
		}
	)
	document.flags.from_agent = True
	return document.insert(ignore_permissions=True).name


def end(employee: str, at: datetime, by: str, reason: End) -> int:
	"""End every consent that somebody gave no later than `at` (aware) and that holds; returns how many."""
	holding = frappe.db.sql_list(
		"SELECT `name` FROM `tabFace Consent`"
		" WHERE `employee` = %s AND `given_utc` <= %s AND `withdrawn_at` IS NULL FOR UPDATE",
		(employee, moments.to_utc(at)),
	)
	for name in holding:
		values = {"withdrawn_at": moments.to_site(at), "withdrawn_by": by[:140], "end_reason": reason.value}
		frappe.db.set_value(DOCTYPE, name, values)
	return len(holding)
