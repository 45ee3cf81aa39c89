"""A site with one terminal and somebody who is told, for tests of alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import frappe

from attendance_bridge.bench import alerts, moments
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals

DOCTYPE = "Attendance Bridge Alert"


class AlertCase(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.clear()
		self.addCleanup(self.clear)
		self.addCleanup(premises.clear)
		self.addCleanup(frappe.set_user, "Administrator")
		self.manager = premises.user("hr-manager", "HR Manager")
		self.device = terminals.silent(1)
		self.now = moments.utc_now()
		self.seen(ago=0)
		frappe.db.commit()

	def clear(self) -> None:
		"""Other sites' tests leave nothing open here."""
		frappe.db.delete(DOCTYPE)
		frappe.db.delete("Email Queue", {"reference_doctype": DOCTYPE})
		frappe.db.delete("Communication", {"reference_doctype": DOCTYPE})
		frappe.db.delete("Edge Agent", {"name": ("like", f"{premises.MARK}%")})
		frappe.db.commit()

	def seen(self, *, ago: float, **values: Any) -> None:
		moment = moments.to_site(self.now - timedelta(minutes=ago))
		frappe.db.set_value("Device Configuration", self.device, {"last_contact": moment, **values})

	def look(self, minutes: float) -> None:
		alerts.look(self.now + timedelta(minutes=minutes))

	def of(self, cause: str, subject: str | None = None) -> list[Any]:
		return frappe.get_all(
			DOCTYPE, {"cause": cause, "subject": subject or self.device}, ["*"], order_by="creation"
		)

	def mails(self) -> list[str]:
		"""About this terminal: the site may have other troubles."""
		return frappe.get_all(
			"Communication",
			{
				"reference_doctype": DOCTYPE,
				"recipients": ("like", f"%{self.manager}%"),
				"subject": ("like", f"%{self.device}%"),
			},
			pluck="subject",
			order_by="creation",
		)
