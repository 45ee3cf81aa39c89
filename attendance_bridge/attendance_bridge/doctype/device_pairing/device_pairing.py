# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from frappe.model.document import Document


class DevicePairing(Document):
	"""A serial number that called and may not push, and what was decided about it; see `bench.pairing`."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		decided_at: DF.Datetime | None
		decided_by: DF.Link | None
		device: DF.Link | None
		dialect: DF.Literal["", "attendance", "security"]
		firmware: DF.Data | None
		first_called: DF.Datetime | None
		knocks: DF.Int
		last_called: DF.Datetime | None
		mac: DF.Data | None
		model: DF.Data | None
		own_address: DF.Data | None
		peer: DF.Data | None
		serial_number: DF.Data
		state: DF.Literal["Waiting", "Approved", "Refused"]
	# end: auto-generated types
