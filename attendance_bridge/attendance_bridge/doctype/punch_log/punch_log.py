# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document


class PunchLog(Document):
	"""A punch: raw and never changed, with what was decided about it beside it.

	Its name is the punch's identity, so the same punch that comes by two roads is one row. Rows are written
	by `bench.punch_log` and `bench.checkins`, many at a time; nobody edits them here.
	"""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		clock_good_until: DF.Datetime | None
		clock_offset: DF.Float
		clock_read_at: DF.Datetime | None
		department: DF.Link | None
		device: DF.Link | None
		device_key: DF.Data | None
		device_serial: DF.Data | None
		device_user_id: DF.Data | None
		edge_agent: DF.Link | None
		employee: DF.Link | None
		employee_checkin: DF.Link | None
		employee_name: DF.Data | None
		fold: DF.Int
		log_type: DF.Literal["", "IN", "OUT"]
		log_type_reason: DF.Data | None
		occurred_at: DF.Datetime | None
		occurred_utc: DF.Datetime | None
		raw: DF.LongText | None
		received_at: DF.Datetime | None
		road: DF.Literal["Pull", "Push", "Live", "Agent"]
		status: DF.Literal[
			"Received", "Pending", "Checked in", "Duplicate", "Unmapped", "Quarantined", "Rejected", "Ignored"
		]
		status_reason: DF.Data | None
		time_approved: DF.Check
		time_zone: DF.Data | None
		verify_mode: DF.Data | None
		wall_time: DF.Datetime | None
	# end: auto-generated types

	def validate(self) -> None:
		if not self.is_new():
			frappe.throw(_("A punch is kept as its terminal recorded it, and cannot be edited."))

	def on_trash(self) -> None:
		frappe.throw(_("A punch cannot be deleted: its terminal would only bring it again."))


def on_doctype_update() -> None:
	frappe.db.add_index("Punch Log", ["status", "occurred_utc"])
	frappe.db.add_index("Punch Log", ["employee", "occurred_utc"])
	# The ids that are nobody's are counted from it alone.
	frappe.db.add_index("Punch Log", ["status", "device_user_id", "device_serial"])
	frappe.db.add_index("Punch Log", ["device_serial", "occurred_utc"])
	drop_index_on_modified()


def drop_index_on_modified() -> None:
	"""Frappe v15 gives one to every table, v16 only where lists are sorted by it. Those of punches are not,
	and every decision about a punch would move its entry there. Commits.
	"""
	frappe.db.sql_ddl("ALTER TABLE `tabPunch Log` DROP INDEX IF EXISTS `modified`")
