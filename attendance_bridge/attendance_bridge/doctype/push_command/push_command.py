# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

from frappe.model.document import Document


class PushCommand(Document):
	"""Something that a terminal which calls by itself is asked to do; written by `bench.push_commands`."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		answered_at: DF.Datetime | None
		attempts: DF.Int
		command: DF.Literal["Info", "Check", "Send Again", "Set Clock", "Reboot"]
		device: DF.Link
		order_id: DF.Int
		requested_by: DF.Link | None
		result: DF.SmallText | None
		return_code: DF.Int
		sent_at: DF.Datetime | None
		state: DF.Literal["Queued", "Sent", "Done", "Failed", "Expired"]
		text: DF.SmallText | None
	# end: auto-generated types
