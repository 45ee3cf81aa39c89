"""Ids that are nobody's, on the real site: who is suggested, and what giving the id to somebody does."""

from __future__ import annotations

from datetime import datetime, timedelta

import frappe

from attendance_bridge.bench import checkins, deciding, jobs, unmapped
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.bench.unmapped import Likeness

MONDAY = datetime(2026, 3, 2)


class TestUnmapped(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		self.zeros = premises.employee(901, device_user_id="90817")
		self.named = premises.employee(902)
		frappe.db.set_value("Employee", self.named, "employee_name", "Worker 90555")
		self.devices = [terminals.silent(1), terminals.silent(2, user_id_prefix="B-")]
		frappe.db.commit()

	def _hold(self, user_id: str, hours: int, *, number: int = 1) -> None:
		punch = terminals.punch(user_id, MONDAY + timedelta(hours=hours), number=number)
		PunchLog(self.devices[number - 1]).accept(terminals.page(punch), terminals.serial(number), None)

	def _group(self, device_user_id: str) -> unmapped.UnmappedGroup:
		return next(group for group in unmapped.groups() if group.device_user_id == device_user_id)

	def test_groups_and_suggestions(self) -> None:
		for hours in (8, 17):
			self._hold("0090817", hours)
			self._hold("90555", hours)
			self._hold("x90", hours, number=2)
		self._hold("X90", 8, number=2)
		deciding.decide_received()
		zeros = self._group("0090817")
		self.assertEqual((zeros.punches, zeros.devices), (2, [self.devices[0]]))
		self.assertEqual(
			(zeros.first, zeros.last), (MONDAY + timedelta(hours=8), MONDAY + timedelta(hours=17))
		)
		best = zeros.suggestions[0]
		self.assertEqual(
			(best.employee, best.likeness, best.attendance_device_id),
			(self.zeros, Likeness.LEADING_ZEROS, "90817"),
		)
		named = self._group("90555").suggestions[0]
		self.assertEqual((named.employee, named.likeness), (self.named, Likeness.NAME_ON_TERMINAL))
		self.assertEqual((self._group("B-x90").punches, self._group("B-X90").punches), (2, 1))

	def test_mapping_creates_the_past_checkins(self) -> None:
		for hours in (8, 17):
			self._hold("90555", hours)
		jobs.carry_on()
		self.assertEqual(unmapped.map_employee("90555", self.named), 2)
		jobs.carry_on()
		made = frappe.get_all(
			"Employee Checkin", filters={"employee": self.named}, fields=["time", "log_type"], order_by="time"
		)
		self.assertEqual(
			[(row.time, row.log_type) for row in made],
			[(MONDAY + timedelta(hours=8), "IN"), (MONDAY + timedelta(hours=17), "OUT")],
		)

	def test_an_id_with_the_prefix_of_its_terminal(self) -> None:
		self._hold("55", 8, number=2)
		self._hold("55", 8)
		deciding.decide_received()
		self.assertEqual(unmapped.map_employee("B-55", self.named), 1)
		jobs.carry_on()
		self.assertEqual(
			frappe.get_all(
				"Punch Log", filters={"status": "Checked in", "device": ("in", self.devices)}, pluck="device"
			),
			[self.devices[1]],
		)

	def test_nobody_loses_an_id_by_accident(self) -> None:
		with self.assertRaises(frappe.ValidationError):
			unmapped.map_employee("0090817", self.zeros)
		frappe.clear_messages()
		unmapped.map_employee("0090817", self.zeros, replace=True)
		self.assertEqual(frappe.db.get_value("Employee", self.zeros, "attendance_device_id"), "0090817")

	def test_somebody_active_again_gets_what_was_refused(self) -> None:
		frappe.db.set_value("Employee", self.zeros, "status", "Inactive")
		self._hold("90817", 8)
		deciding.decide_received()
		checkins.deliver_pending()
		employee = frappe.get_doc("Employee", self.zeros)
		employee.status = "Active"
		employee.save()
		self.assertEqual(employee.flags.attendance_bridge_reopened, 1)
		jobs.carry_on()
		self.assertEqual(frappe.db.count("Employee Checkin", {"employee": self.zeros}), 1)
