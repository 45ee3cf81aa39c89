# Copyright (c) 2026, Attendance Bridge contributors
# For license information, please see license.txt

from __future__ import annotations

import frappe
from frappe import _
from frappe.model.document import Document

from attendance_bridge.bench import agents, scans
from attendance_bridge.install import AGENT_ROLE


class EdgeAgent(Document):
	"""A program in the network of the terminals, and the user as whom it signs in.

	The state fields are written by `bench.heartbeat` beside the form.
	"""

	# begin: auto-generated types
	# This code is auto-generated. Do not modify anything in this block.

	from typing import TYPE_CHECKING

	if TYPE_CHECKING:
		from frappe.types import DF

		agent_name: DF.Data
		disk_free: DF.Int
		enabled: DF.Check
		last_heartbeat: DF.Datetime | None
		oldest_waiting: DF.Datetime | None
		people_branch: DF.Link | None
		people_company: DF.Link | None
		scan_done_at: DF.Datetime | None
		scan_networks: DF.SmallText | None
		scan_result: DF.LongText | None
		scan_token: DF.Data | None
		scan_wanted_at: DF.Datetime | None
		tells_disk: DF.Check
		user: DF.Link | None
		version: DF.Data | None
		waiting: DF.Int
	# end: auto-generated types

	def before_insert(self) -> None:
		if not self.user:
			self.user = agents.make_user(self.agent_name)

	def validate(self) -> None:
		if not self.user:
			frappe.throw(_("An agent needs a user to sign in as."), frappe.MandatoryError)
		if self.user in ("Administrator", "Guest"):
			frappe.throw(_("An agent needs a user of its own, with no other rights."))
		others = agents.other_roles(self.user)
		if others and self.has_value_changed("user"):
			frappe.throw(
				_(
					"{0} has other roles: {1}. An agent needs a user of its own, with no other rights: leave"
					" the user empty to have one made."
				).format(frappe.bold(frappe.utils.escape_html(self.user)), ", ".join(others))
			)

		scans.check(self.scan_networks)

	def before_save(self) -> None:
		"""What a form brings of the state is as old as the form."""
		held = self.get_doc_before_save()
		for field in self.meta.get("fields", {"read_only": 1}) if held else ():
			self.set(field.fieldname, held.get(field.fieldname))

	def on_update(self) -> None:
		user = frappe.get_doc("User", self.user)
		if AGENT_ROLE not in {row.role for row in user.roles}:
			user.add_roles(AGENT_ROLE)
