"""What punches say beyond a day: two sites at once, clocks that keep them back, patterns of weeks."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.api import anomalies as api
from attendance_bridge.bench import moments, reviewing
from attendance_bridge.bench.anomalies import nightly, patterns, register
from attendance_bridge.bench.deciding import settle_received
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.tests import anomalies_at_work, premises, terminals
from attendance_bridge.bench.tests.anomalies_at_work import (
	HOSTILE,
	MONDAY,
	Anomalies,
	branch,
	statements,
)
from attendance_bridge.bench.workdays import counting


def setUpModule() -> None:
	anomalies_at_work.set_up()


def tearDownModule() -> None:
	anomalies_at_work.tear_down()


class TestPunches(Anomalies):
	"""What punches say beyond one day of one person; at the present time, which the night looks at."""

	def setUp(self) -> None:
		super().setUp()
		self.yesterday = moments.now().date() - timedelta(days=1)
		self.devices = {number: f"{premises.MARK} Silent {number}" for number in (1, 2, 3)}

	def punch(
		self, user_id: str, day: date, at: str, device: int = 1, *, mode: str = "card", **values: Any
	) -> str:
		"""A punch that was decided, as a row: how it came to be is shown elsewhere."""
		moment = datetime.fromisoformat(f"{day} {at}")
		punch = terminals.punch(user_id, moment, number=device)
		PunchLog(self.devices[device]).accept(terminals.page(punch), terminals.serial(device), None)
		name = str(punch.punch_id)
		employee = frappe.db.get_value("Employee", {"attendance_device_id": user_id})
		changes = {"employee": employee, "status": "Checked in", "verify_mode": mode, **values}
		frappe.db.set_value("Punch Log", name, changes)
		return name

	def _set_device(self, number: int, **values: Any) -> None:
		name = self.devices[number]
		former = frappe.db.get_value("Device Configuration", name, list(values), as_dict=True)
		self.addCleanup(frappe.db.set_value, "Device Configuration", name, former)
		frappe.db.set_value("Device Configuration", name, values)

	def test_two_sites_in_no_time(self) -> None:
		one, two = (self.employee(number) for number in (1, 2))
		self.punch("abt1", self.yesterday, "09:00:00", 1)
		self.punch("abt1", self.yesterday, "09:02:00", 2)
		self.punch("abt2", self.yesterday, "09:00:00", 1)
		self.punch("abt2", self.yesterday, "09:00:30", 3)  # of the same site
		nightly.look()
		row = self.one(one)
		self.assertEqual((row.kind, row.attendance_date), ("Out of Reach", self.yesterday))
		self.assertIn("are 2 minutes apart. The way takes 10 minutes at least.", row.reason)
		self.assertEqual(len(frappe.get_doc(register.DOCTYPE, row.name).punches), 2)
		self.assertEqual(self.found(two), [])

		# The terminals hang at one site after all.
		self._set_device(2, branch=branch("North"))
		nightly.look()
		self.assertEqual((self.one(one).state, self.one(one).by_itself), ("Resolved", 1))

	def test_the_count_of_a_day_finds_them_too(self) -> None:
		employee = self.employee(1)
		self.punch("abt1", MONDAY, "09:00:00", 1)
		self.punch("abt1", MONDAY, "09:01:00", 2, status="Duplicate")
		self.check_in(employee, "IN 09:00", "OUT 17:00")
		self.judge()
		self.assertEqual(self.kinds(employee), ["Out of Reach"])

	def test_punches_that_a_clock_keeps_back(self) -> None:
		employee = self.employee(1)
		held = {"status": "Quarantined", "status_reason": "clock_off", "employee": None}
		name = self.punch("abt1", self.yesterday, "09:00:00", **held)
		nightly.look()
		row = self.one(employee)
		self.assertEqual((row.kind, row.shift or ""), ("Held by Clock", ""))
		self.assertIn(self.devices[1], row.reason)

		reviewing.ignore([name], "nobody was there")
		nightly.look()
		self.assertEqual(self.one(employee).state, "Resolved")

	def test_an_approved_time_closes_it_with_the_count(self) -> None:
		employee = self.employee(1)
		held = {"status": "Quarantined", "status_reason": "clock_off", "employee": None}
		self._set_device(1, device_role="Out")
		name = self.punch("abt1", MONDAY, "17:00:00", **held)
		self.check_in(employee, "IN 09:00")
		self.judge()
		self.assertEqual(self.kinds(employee), ["Held by Clock", "Missing OUT"])
		reviewing.approve_time([name])
		settle_received()
		counting.count_all()
		self.assertEqual(self.kinds(employee), ["Hours Differ"])

	def test_a_day_off_that_hrms_does_not_judge(self) -> None:
		holidays = frappe.get_doc(
			{
				"doctype": "Holiday List",
				"holiday_list_name": f"{premises.MARK} Yesterday",
				"from_date": self.yesterday - timedelta(days=30),
				"to_date": self.yesterday,
				"holidays": [{"holiday_date": self.yesterday, "description": "Yesterday"}],
			}
		).insert()
		self.addCleanup(frappe.delete_doc, "Holiday List", holidays.name, force=True)
		self._set_shift(holiday_list=holidays.name)
		employee = self.employee(1)
		self.check_in(employee, "IN 09:00", "OUT 17:00", day=self.yesterday)
		self.judge()
		self.assertIsNone(self.attendance(employee, self.yesterday))
		nightly.look()
		row = self.one(employee)
		self.assertEqual((row.kind, row.attendance, row.state), ("Punch on Day Off", None, "Open"))
		nightly.look()
		self.assertEqual(self.one(employee).reopened, 0)

	def days_together(self, count: int, *, mode: str = "card", from_day: int = 0) -> None:
		for back in range(from_day, from_day + count):
			day = self.yesterday - timedelta(days=back)
			self.punch("abt1", day, "09:00:00", mode=mode)
			self.punch("abt2", day, "09:00:03", mode=mode)

	def test_punches_that_keep_coming_together(self) -> None:
		one, two = (self.employee(number, employee_name=HOSTILE) for number in (1, 2))
		self.days_together(4)
		patterns.look(self.yesterday)
		self.assertEqual(self.found(), [])

		self.days_together(1, from_day=4)
		patterns.look(self.yesterday)
		row = self.one(one)
		self.assertEqual((row.kind, row.until), ("Punches Together", self.yesterday))
		self.assertEqual(row.attendance_date, self.yesterday - timedelta(days=4))
		self.assertEqual(
			row.reason,
			"On 5 days in a row a punch came within 5 seconds of one of another person.",
		)
		self.assertIn(two, row.others)
		self.assertEqual(len(frappe.get_doc(register.DOCTYPE, row.name).punches), 5)
		self.assertEqual(self.one(two).kind, "Punches Together")

		# Dismissed, and one more day of the same: nothing new.
		api.dismiss([row.name], "they share a car")
		self.yesterday += timedelta(days=1)
		self.days_together(1)
		patterns.look(self.yesterday)
		row = self.one(one)
		self.assertEqual((row.state, row.until), ("Dismissed", self.yesterday))

		# Another record says that one of them was elsewhere: that is new.
		self.punch("abt2", self.yesterday, "08:59:00", 2)
		nightly._look_at_people(self.yesterday, self.yesterday)
		patterns.look(self.yesterday)
		row = self.one(one)
		self.assertEqual((row.state, row.reopened), ("Open", 1))
		self.assertIn("On 1 of these days other records do not fit.", row.reason)

	def test_a_recognised_face_is_of_no_pattern(self) -> None:
		self.days_together(6, mode="face")
		patterns.look(self.yesterday)
		self.assertEqual(self.found(), [])

	def test_the_night_asks_as_often_for_many_as_for_few(self) -> None:
		self.days_together(5)
		few = statements(lambda: patterns.look(self.yesterday))
		for number in (3, 4, 5):
			for back in range(5):
				self.punch(f"abt{number}", self.yesterday - timedelta(days=back), "09:00:04")
		many = statements(lambda: patterns.look(self.yesterday))
		self.assertEqual(few, many)
		self.assertEqual(len(self.found()), 5)
