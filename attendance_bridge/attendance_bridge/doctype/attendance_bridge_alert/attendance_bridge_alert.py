# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class AttendanceBridgeAlert(Document):
	"""Something that somebody should look at. Written by `bench.alerts`; nobody edits it.

	Two methods of it, `alert_opened` and `alert_cleared`, exist for Notifications alone.
	"""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		advice: DF.SmallText | None
		all_clear_at: DF.Datetime | None
		cause: DF.Literal[
			"Terminal Dark",
			"Wrong Password",
			"Wrong Terminal",
			"Clock Off",
			"Log Nearly Full",
			"Punches Missing",
			"Backlog",
			"Unmapped IDs",
			"Shift Held",
			"Agent Gone",
			"Disk Nearly Full",
		]
		cause_key: DF.Data | None
		cleared_at: DF.Datetime | None
		first_noticed: DF.Datetime | None
		gone_since: DF.Datetime | None
		last_noticed: DF.Datetime | None
		notified_at: DF.Datetime | None
		open_key: DF.Data | None
		opened_at: DF.Datetime | None
		status: DF.Literal["Watching", "Open", "Cleared"]
		subject: DF.DynamicLink | None
		subject_type: DF.Link | None
		title: DF.Data | None
		what: DF.SmallText | None
	# end: auto-generated types

	@staticmethod
	def clear_old_logs(days: int = 180) -> None:
		"""Called by Log Settings every day; what is open stays."""
		table = frappe.qb.DocType("Attendance Bridge Alert")
		old = table.creation < (Now() - Interval(days=days))
		frappe.db.delete(table, filters=(old & (table.status == "Cleared")))
