"""Half a holiday, on a real HRMS v16: the day that is shown and counted is the one that HRMS judges."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import frappe
from frappe.utils import getdate

from attendance_bridge.bench import compat
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import payroll_office, premises
from attendance_bridge.bench.workdays import counting, days
from attendance_bridge.core.workday.day import Reason, Status

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
AFTERWARDS = datetime(2026, 3, 20, 8, tzinfo=timezone.utc)
WORKED = {
	# Half a day below 6 / 2 = 3 hours, nothing below 3 / 2 = 1.5 hours.
	1: (("09:00:00", "13:00:00"), ("Present", "On Time", "Half a day off", 4.0)),
	2: (("14:00:00", "17:00:00"), ("Present", "On Time", "Half a day off", 3.0)),
	3: (("09:00:00", "11:30:00"), ("Half Day", "Half Day", "Less worked than half a day needs", 2.5)),
	4: (("09:00:00", "10:15:00"), ("Absent", "Absent", "Too little worked to count", 1.25)),
}
ELSEWHERE = 5
"""Did not come."""


class TestHalfHolidays(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		if not compat.half_holiday_field():
			return
		premises.clear()
		cls.addClassCleanup(premises.clear)
		cls.list = payroll_office.holiday_list("Halves", MONDAY)
		cls.make_half(True)
		cls.shift = premises.shift_type(
			"Halved",
			"09:00:00",
			"17:00:00",
			holiday_list=cls.list,
			enable_auto_attendance=1,
			enable_late_entry_marking=1,
			enable_early_exit_marking=1,
			working_hours_threshold_for_half_day=6,
			working_hours_threshold_for_absent=3,
			process_attendance_after=MONDAY,
			# HRMS marks absent up to the day before this.
			last_sync_of_checkin=datetime(2026, 3, 4, 20),
			determine_check_in_and_check_out="Alternating entries as IN and OUT during the same shift",
			working_hours_calculation_based_on="First Check-in and Last Check-out",
		)
		cls.people = {
			number: premises.employee(number, default_shift=cls.shift) for number in (*WORKED, ELSEWHERE)
		}
		for number, (times, _expected) in WORKED.items():
			for place, at in enumerate(times):
				frappe.get_doc(
					{
						"doctype": "Employee Checkin",
						"employee": cls.people[number],
						"time": f"{MONDAY} {at}",
						"log_type": "OUT" if place else "IN",
					}
				).insert()
		frappe.get_doc("Shift Type", cls.shift).process_auto_attendance()

	def setUp(self) -> None:
		if not compat.half_holiday_field():
			self.skipTest("v15 knows whole holidays only")

	@classmethod
	def make_half(cls, half: bool) -> None:
		document = frappe.get_doc("Holiday List", cls.list)
		(row,) = (row for row in document.holidays if getdate(row.holiday_date) == MONDAY)
		row.is_half_day = int(half)
		document.save()

	def day_of(self, number: int, day: date = MONDAY) -> days.PersonDay:
		(found,) = days.load([self.people[number]], day, day, now=AFTERWARDS)
		return found

	def judged(self, number: int, day: date = MONDAY) -> Any:
		fields = ["name", "status", "working_hours", "bridge_day_status", "bridge_day_reason"]
		of_day = {"employee": self.people[number], "attendance_date": day, "docstatus": 1}
		return frappe.db.get_value("Attendance", of_day, fields, as_dict=True)

	def test_what_is_counted_is_what_hrms_judges(self) -> None:
		counting.count_all()
		found = {}
		for number in WORKED:
			row = self.judged(number)
			found[number] = (row.status, row.bridge_day_status, row.bridge_day_reason, row.working_hours)
			self.assertEqual(self.day_of(number).judged, row.status)
			self.assertFalse(self.day_of(number).to_look_at)
		self.assertEqual(found, {number: expected for number, (_times, expected) in WORKED.items()})

	def test_who_does_not_come_has_a_holiday(self) -> None:
		# HRMS marks this one absent on the working day, and not on half a holiday.
		self.assertEqual(self.judged(ELSEWHERE, TUESDAY).status, "Absent")
		self.assertIsNone(self.judged(ELSEWHERE))
		found = self.day_of(ELSEWHERE)
		self.assertEqual((found.day.status, found.day.reason), (Status.HOLIDAY, Reason.HALF_OFF))
		self.assertEqual(self.day_of(ELSEWHERE, TUESDAY).day.status, Status.ABSENT)

	def test_a_holiday_that_becomes_a_whole_one_is_counted_again(self) -> None:
		counting.count_all()
		self.addCleanup(counting.count_all)
		self.addCleanup(self.make_half, True)
		self.make_half(False)
		self.assertEqual(counting.count_all(), len(WORKED))
		row = self.judged(1)
		self.assertEqual((row.bridge_day_status, row.bridge_day_reason), ("Holiday", "A day off"))
		overtime = frappe.db.get_value("Attendance", row.name, "bridge_overtime")
		self.assertEqual(timedelta(seconds=overtime), timedelta(hours=4))
