# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from frappe.model.document import Document


class AttendanceAnomalyPunch(Document):
	"""A punch that an anomaly is about."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		device: DF.Link | None
		employee_checkin: DF.Link | None
		log_type: DF.Data | None
		parent: DF.Data
		parentfield: DF.Data
		parenttype: DF.Data
		punch_log: DF.Link | None
		time: DF.Datetime | None
	# end: auto-generated types
