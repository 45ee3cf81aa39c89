# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe.model.document import Document
from frappe.query_builder import Interval
from frappe.query_builder.functions import Now


class DeviceSyncLog(Document):
	"""One reading of a terminal: who asked for it, what it brought, what became of it."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		checked_in: DF.Int
		device: DF.Link | None
		doubtful: DF.Int
		duplicates: DF.Int
		duration: DF.Float
		error: DF.SmallText | None
		error_code: DF.Data | None
		fetched: DF.Int
		known: DF.Int
		naming_series: DF.Literal["DSL-.YYYY.-.#######"]
		new: DF.Int
		quarantined: DF.Int
		rejected: DF.Int
		requested_by: DF.Link | None
		started_at: DF.Datetime | None
		status: DF.Literal["Queued", "Running", "Complete", "Failed", "Stopped"]
		trigger: DF.Literal["Scheduler", "Fetch Check-in", "Reconcile", "Agent"]
		unmapped: DF.Int
		unreadable: DF.Int
		window_end: DF.Datetime | None
		window_start: DF.Datetime | None
	# end: auto-generated types

	@staticmethod
	def clear_old_logs(days: int = 90) -> None:
		"""Called by Log Settings every day."""
		table = frappe.qb.DocType("Device Sync Log")
		frappe.db.delete(table, filters=(table.creation < (Now() - Interval(days=days))))


def on_doctype_update() -> None:
	frappe.db.add_index("Device Sync Log", ["creation"])
