"""What people do about anomalies of days. Each endpoint: permission, then one act.

HR decides about everybody, the head of a department about their people, nobody about their own days.
"""

from __future__ import annotations

import json

import frappe
from frappe import _

from attendance_bridge.bench.anomalies import access, correcting, deciding

MOST_AT_ONCE = 500


@frappe.whitelist(methods=["POST"])
def dismiss(anomalies: str | list[str], remark: str) -> dict[str, int]:
	"""They are all right as they are; the remark says why."""
	return {"anomalies": deciding.dismiss(_to_decide(anomalies), remark)}


@frappe.whitelist(methods=["POST"])
def resolve(anomalies: str | list[str], remark: str) -> dict[str, int]:
	"""They have been settled; the remark says how."""
	return {"anomalies": deciding.resolve(_to_decide(anomalies), remark)}


@frappe.whitelist(methods=["POST"])
def reopen(anomalies: str | list[str], remark: str) -> dict[str, int]:
	"""They are to be looked at again; the remark says why."""
	return {"anomalies": deciding.reopen(_to_decide(anomalies), remark)}


@frappe.whitelist(methods=["POST"])
def request_attendance(
	anomalies: str | list[str], reason: str = "On Duty", explanation: str = ""
) -> dict[str, list[str]]:
	"""Draft an Attendance Request for each of their days."""
	rows = access.rows_to_decide(_names(anomalies, correcting.MOST_AT_ONCE))
	return _told(correcting.request(rows, reason, explanation))


@frappe.whitelist(methods=["POST"])
def judge_again(anomalies: str | list[str]) -> dict[str, list[str]]:
	"""Cancel the Attendances of their days, and have HRMS make them again of all check-ins."""
	frappe.has_permission("Attendance", "cancel", throw=True)
	rows = access.rows_to_decide(_names(anomalies, correcting.MOST_AT_ONCE))
	return _told(correcting.judge_days_again(rows))


@frappe.whitelist(methods=["POST"])
def add_punch(anomaly: str, time: str, log_type: str, why: str) -> dict[str, str]:
	"""Add a check-in by hand to the day of an anomaly."""
	frappe.has_permission("Attendance", "cancel", throw=True)
	(row,) = access.rows_to_decide([anomaly])
	return {"checkin": correcting.add_punch(row, time, log_type, why)}


def _told(corrected: correcting.Corrected) -> dict[str, list[str]]:
	return {"made": corrected.made, "refused": corrected.refused}


def _to_decide(anomalies: str | list[str]) -> list[str]:
	"""
	:raises frappe.PermissionError: the user may not see one of them, or not decide about it.
	"""
	return [row.name for row in access.rows_to_decide(_names(anomalies, MOST_AT_ONCE))]


def _names(anomalies: str | list[str], most: int) -> list[str]:
	# Who may read none is told nothing about lists.
	frappe.has_permission("Attendance Anomaly", "read", throw=True)
	try:
		names = json.loads(anomalies) if isinstance(anomalies, str) else anomalies
	except ValueError:
		names = None
	if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
		frappe.throw(_("A list of anomalies is needed."))
	if not 1 <= len(names) <= most:
		frappe.throw(_("Choose 1 to {0} anomalies.").format(most))
	return names
