# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document

from attendance_bridge.install import AGENT_ROLE


class EdgeAgent(Document):
	"""A program in the network of the terminals, and the user as whom it signs in."""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		agent_name: DF.Data
		enabled: DF.Check
		last_heartbeat: DF.Datetime | None
		user: DF.Link
		version: DF.Data | None
		waiting: DF.Int
	# end: auto-generated types

	def validate(self) -> None:
		if self.user in ("Administrator", "Guest"):
			frappe.throw(_("An agent needs a user of its own, with no other rights."))

	def on_update(self) -> None:
		user = frappe.get_doc("User", self.user)
		if AGENT_ROLE not in {row.role for row in user.roles}:
			user.add_roles(AGENT_ROLE)
