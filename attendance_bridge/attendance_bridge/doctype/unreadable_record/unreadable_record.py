# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from frappe.model.document import Document


class UnreadableRecord(Document):
	"""A record that should be a punch and cannot be read as one: kept for a person to look at.

	Written by `bench.punch_log`; the same record read again has the same name.
	"""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		device: DF.Link | None
		device_serial: DF.Data | None
		raw: DF.LongText | None
		reason: DF.Data | None
		received_at: DF.Datetime | None
	# end: auto-generated types
