"""What tests of terminals that push share: a web server of the site, two people, approved terminals."""

from __future__ import annotations

from typing import Any

import frappe

from attendance_bridge.bench import moments
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, pushers, terminals
from attendance_bridge.bench.tests.pushers import Pusher
from attendance_bridge.bench.tests.site_server import SiteServer


class IclockCase(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		pushers.clear()
		cls.addClassCleanup(pushers.clear)
		cls.employee = premises.employee(1, device_user_id="abt1")
		premises.employee(2, device_user_id="abt2")
		frappe.db.commit()
		cls.server = SiteServer()
		cls.addClassCleanup(cls.server.stop)

	def setUp(self) -> None:
		pushers.clear_terminals()
		pushers.settings(push_enabled=1)
		self.at = moments.utc_now().astimezone(terminals.ZONE).replace(microsecond=0, tzinfo=None)

	def pusher(self, number: int = 1, **values: Any) -> Pusher:
		"""An approved terminal."""
		return Pusher(self.server, pushers.terminal(number, **values))

	def held(self) -> list[Any]:
		"""What the site holds of these terminals."""
		frappe.db.rollback()
		fields = ["name", "device_user_id", "road", "status", "owner", "employee_checkin", "device"]
		return frappe.get_all("Punch Log", {"device_serial": ("like", "ABTPUSH%")}, fields)
