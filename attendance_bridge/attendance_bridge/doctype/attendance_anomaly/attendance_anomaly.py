# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document

from attendance_bridge.bench.anomalies import access


class AttendanceAnomaly(Document):
	"""Something about a person's day that a hand should look at: once a day, a shift and a kind.

	`bench.anomalies` opens and closes it, many at a time; `api.anomalies` is what people do about it. Nobody
	edits or deletes it here.
	"""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		from attendance_bridge.attendance_bridge.doctype.attendance_anomaly_punch.attendance_anomaly_punch import (  # noqa: E501
			AttendanceAnomalyPunch,
		)

		advice: DF.SmallText | None
		attendance: DF.Link | None
		attendance_date: DF.Date
		attendance_request: DF.Link | None
		by_itself: DF.Check
		company: DF.Link | None
		decided_at: DF.Datetime | None
		decided_by: DF.Link | None
		department: DF.Link | None
		employee: DF.Link
		employee_name: DF.Data | None
		evidence: DF.Data | None
		found_at: DF.Datetime | None
		kind: DF.Literal[
			"Missing IN",
			"Missing OUT",
			"IN after IN",
			"OUT after OUT",
			"Punch on Leave",
			"Punch on Day Off",
			"Hours Differ",
			"Out of Reach",
			"Held by Clock",
			"Punches Together",
		]
		others: DF.SmallText | None
		punches: DF.Table[AttendanceAnomalyPunch]
		reason: DF.SmallText | None
		remark: DF.SmallText | None
		reopened: DF.Int
		shift: DF.Link | None
		state: DF.Literal["Open", "Resolved", "Dismissed"]
		told: DF.LongText | None
		until: DF.Date | None
	# end: auto-generated types

	def onload(self) -> None:
		self.set_onload("is_own", self.employee in access.own_employees(frappe.session.user))

	def validate(self) -> None:
		frappe.throw(_("An anomaly is found by counting a day; nobody writes one."))

	def on_trash(self) -> None:
		frappe.throw(_("An anomaly stays on record. Dismiss it instead."))


def on_doctype_update() -> None:
	# Two counts of one day find one anomaly. A shift is never NULL: of those there could be many.
	frappe.db.add_unique("Attendance Anomaly", ["employee", "attendance_date", "shift", "kind"])
	frappe.db.add_index("Attendance Anomaly", ["state", "attendance_date"])
