"""Deciding and making check-ins in one turn comes to the same as one after the other."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge.bench import checkins, deciding
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals

MONDAY = datetime(2026, 3, 2)
PUNCHES = 60
"""Of each person; together more than are worth rows."""


class TestSettling(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		day = premises.shift_type("ST day", "08:00:00", "17:00:00")
		cls.people = [
			premises.employee(1, device_user_id="abt1", default_shift=day),
			premises.employee(2, device_user_id="abt2"),
			premises.employee(3, device_user_id="abt3", status="Inactive"),
		]
		frappe.db.commit()

	def setUp(self) -> None:
		self.addCleanup(self._clear)

	def _clear(self) -> None:
		frappe.db.rollback()
		frappe.db.delete("Employee Checkin", {"employee": ("in", self.people)})
		frappe.db.delete("Punch Log", {"device": ("like", f"{premises.MARK}%")})
		frappe.db.delete("Device Configuration", {"name": ("like", f"{premises.MARK}%")})
		frappe.db.commit()

	def _hold(self) -> int:
		"""All that may happen to a punch; returns how many there are."""
		first, second = (PunchLog(terminals.silent(number)) for number in (1, 2))
		# Another tool has made a check-in before.
		made = {"employee": self.people[0], "time": MONDAY, "log_type": "OUT"}
		frappe.get_doc({"doctype": "Employee Checkin", **made}).insert()
		punches = [
			terminals.punch(f"abt{person}", MONDAY + timedelta(minutes=137 * step))
			for step in range(PUNCHES)
			for person in (1, 2, 3)
		]
		first.accept(terminals.page(*punches), terminals.serial(1), None)
		others = [
			terminals.punch("abt2", MONDAY, number=2),  # the same passage, seen by two
			terminals.punch("abt2", MONDAY + timedelta(hours=1, seconds=7), number=2),
			terminals.punch("abt2", MONDAY + timedelta(hours=1, seconds=9), number=2),
			terminals.punch("nobody", MONDAY, number=2),
		]
		second.accept(terminals.page(*others), terminals.serial(2), None)
		return len(punches) + len(others)

	def _come_out(self, settle: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
		"""What the punches and the check-ins say afterwards, but for names and moments of their own."""
		self._clear()
		held = self._hold()
		settle()
		punches = frappe.db.sql(
			"SELECT `name`, `status`, `status_reason`, `employee`, `employee_name`, `department`, `log_type`,"
			" `log_type_reason`, `employee_checkin` IS NOT NULL FROM `tabPunch Log` WHERE `device` LIKE %s"
			" ORDER BY `name`",
			f"{premises.MARK}%",
		)
		self.assertEqual(len(punches), held)
		made = frappe.get_all(
			"Employee Checkin",
			filters={"employee": ("in", self.people)},
			fields=["*"],
			order_by="time, employee",
		)
		own = ("name", "creation", "modified")
		return list(punches), [{key: row[key] for key in row if key not in own} for row in made]

	def _one_after_the_other(self) -> None:
		deciding.decide_received()
		checkins.deliver_pending()

	def test_in_one_turn_as_one_after_the_other(self) -> None:
		told: list[int] = []
		apart = self._come_out(self._one_after_the_other)
		together = self._come_out(lambda: deciding.settle_received(told.append))
		self.assertEqual(together, apart)
		self.assertEqual(told[-1], len(together[0]))
		self.assertEqual(told, sorted(told))
		self.assertLessEqual(
			{"Checked in", "Duplicate", "Rejected", "Unmapped"}, {row[1] for row in together[0]}
		)

	def test_in_small_batches_and_one_by_one(self) -> None:
		apart = self._come_out(self._one_after_the_other)
		with patch.object(deciding, "BATCH", 50):
			self.assertEqual(self._come_out(deciding.settle_received), apart)
		with patch.object(checkins, "customs", return_value=["a hook of another app"]):
			self.assertEqual(self._come_out(deciding.settle_received), apart)

	def test_a_turn_that_fails_leaves_punches_as_they_came(self) -> None:
		held = self._hold()
		with (
			patch.object(checkins, "_explain_marked", side_effect=ZeroDivisionError),
			self.assertRaises(ZeroDivisionError),
		):
			deciding.settle_received()
		self.assertEqual(frappe.db.count("Punch Log", {"status": "Received"}), held)
		self.assertEqual(frappe.db.count("Employee Checkin", {"employee": ("in", self.people)}), 1)
		deciding.settle_received()
		self.assertEqual(frappe.db.count("Punch Log", {"status": ("in", ("Received", "Pending"))}), 0)
