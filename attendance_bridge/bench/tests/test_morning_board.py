"""The morning board: a morning made by hand with everybody in their place, by role, and what it costs."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.api import figures as figures_api
from attendance_bridge.api import morning as api
from attendance_bridge.bench import jobs, moments
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.bench.tests.test_permissions import _department
from attendance_bridge.bench.workdays import choice, morning
from attendance_bridge.core.punch import DeviceKey

MONDAY = date(2026, 3, 2)
SUNDAY = MONDAY - timedelta(days=1)

IN, OUT = DeviceKey.CHECK_IN, DeviceKey.CHECK_OUT
BREAK = DeviceKey.BREAK_OUT

PUNCHES = {
	# who: moments of Monday (or of Sunday: "-"), as the terminal tells them
	"on time": (("08:55", IN),),
	"late": (("09:20", IN),),
	"gone": (("08:50", IN), ("09:12", OUT)),
	"on break": (("08:50", IN), ("09:10", BREAK)),
	"came on a day off": (("08:58", IN),),
	"no shift, in": (("08:30", IN),),
	"night": (("-21:55", IN), ("06:02", OUT)),
	"twice": (("04:55", IN), ("08:02", OUT)),
	"came on leave": (("08:40", IN),),
}
SHIFTS = {
	"on time": "Day",
	"late": "Day",
	"gone": "Day",
	"on break": "Day",
	"missing": "Day",
	"unread": "Dark",
	"never read": "Never",
	"on leave": "Day",
	"came on leave": "Day",
	"day off": "Off",
	"came on a day off": "Off",
	"afternoon": "Late",
	"absent": "Early",
	"night": "Night",
	"night, not come": "Night",
	"by hand": "Day",
	"left the company": "Day",
	"joins later": "Day",
}


class TestMorningBoard(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls._clear()
		cls.addClassCleanup(cls._clear)
		cls.head = premises.user("head", "Leave Approver", "Employee")
		cls.department = _department("Morning", approver=cls.head)
		cls._make_shifts()
		cls._make_people()
		cls._make_punches()
		frappe.db.commit()

	@classmethod
	def _clear(cls) -> None:
		people = premises.own_employees() or [""]
		frappe.db.delete("Leave Application", {"employee": ("in", people)})
		frappe.db.delete("Holiday List", {"name": ("like", f"{premises.MARK} %")})
		frappe.db.delete("Holiday", {"parent": ("like", f"{premises.MARK} %")})
		premises.clear()

	@classmethod
	def _make_shifts(cls) -> None:
		judged = {
			"enable_auto_attendance": 1,
			"process_attendance_after": SUNDAY,
			"determine_check_in_and_check_out": "Strictly based on Log Type in Employee Checkin",
			"working_hours_calculation_based_on": "First Check-in and Last Check-out",
			"enable_late_entry_marking": 1,
			"late_entry_grace_period": 10,
		}
		read = {**judged, "last_sync_of_checkin": datetime(2026, 3, 2, 9, 25)}
		frappe.get_doc(
			{
				"doctype": "Holiday List",
				"holiday_list_name": f"{premises.MARK} off",
				"from_date": SUNDAY,
				"to_date": MONDAY,
				"holidays": [{"holiday_date": MONDAY, "description": "Holiday"}],
			}
		).insert()
		cls.shifts = {
			"Day": premises.shift_type("Day", "09:00:00", "17:00:00", **read),
			"Off": premises.shift_type(
				"Off", "09:00:00", "17:00:00", holiday_list=f"{premises.MARK} off", **read
			),
			"Dark": premises.shift_type(
				"Dark",
				"09:00:00",
				"17:00:00",
				**{**judged, "last_sync_of_checkin": datetime(2026, 3, 1, 20)},
			),
			"Never": premises.shift_type("Never", "05:00:00", "08:00:00", after=30, **judged),
			"Early": premises.shift_type("Early", "05:00:00", "08:00:00", after=30, **read),
			"Late": premises.shift_type("Late", "14:00:00", "22:00:00", **read),
			"Night": premises.shift_type("Night", "22:00:00", "06:00:00", **read),
		}

	@classmethod
	def _make_people(cls) -> None:
		cls.people: dict[str, str] = {}
		for number, who in enumerate(dict.fromkeys([*SHIFTS, *PUNCHES, "no shift"]), start=1):
			shift = cls.shifts.get(SHIFTS.get(who, ""))
			dates = {
				"left the company": {"relieving_date": SUNDAY, "status": "Left"},
				"joins later": {"date_of_joining": MONDAY + timedelta(days=7)},
			}
			cls.people[who] = premises.employee(
				number,
				first_name=who,
				device_user_id=f"abt{number}",
				default_shift=shift,
				department=cls.department if who in ("late", "missing") else None,
				**dates.get(who, {}),
			)
		setting = ("HR Settings", None, "allow_multiple_shift_assignments")
		cls.addClassCleanup(frappe.db.set_value, *setting, frappe.db.get_value(*setting))
		frappe.db.set_value(*setting, 1)
		for shift in ("Early", "Late"):
			premises.assignment(cls.people["twice"], cls.shifts[shift], MONDAY, MONDAY)
		for who in ("on leave", "came on leave"):
			cls._row(
				"Leave Application",
				employee=cls.people[who],
				from_date=MONDAY,
				to_date=MONDAY,
				status="Approved",
			)
		cls._row(
			"Attendance",
			employee=cls.people["by hand"],
			company=premises.company(),
			attendance_date=MONDAY,
			status="Work From Home",
		)

	@staticmethod
	def _row(doctype: str, **values: Any) -> str:
		"""A submitted document, without the balances and policies that it would need; returns its name."""
		document = frappe.get_doc({"doctype": doctype, "docstatus": 1, **values})
		document.name = f"{premises.MARK}-{frappe.generate_hash(length=10)}"
		document.db_insert()
		return document.name

	@classmethod
	def _make_punches(cls) -> None:
		cls.device = terminals.silent(1)
		ids = {name: f"abt{number}" for number, name in enumerate(cls.people, start=1)}
		punches = []
		for who, moments_of_one in PUNCHES.items():
			for at, key in moments_of_one:
				day = SUNDAY if at.startswith("-") else MONDAY
				moment = datetime.fromisoformat(f"{day} {at.lstrip('-')}")
				punches.append(terminals.punch(ids[who], moment, key=key))
		PunchLog(cls.device).accept(terminals.page(*punches), terminals.serial(), None)
		jobs.carry_on()

	def setUp(self) -> None:
		self.addCleanup(frappe.set_user, "Administrator")

	def look(self, at: str, **filters: Any) -> dict[str, dict[str, Any]]:
		"""The lines of our people on Monday, by who they are."""
		now = moments.from_site(f"{MONDAY} {at}")
		chosen = choice.of_filters({"date": str(MONDAY), **filters})
		lines = {line["employee"]: line for line in morning.look(chosen, now, shift=filters.get("shift"))}
		return {who: lines[name] for who, name in self.people.items() if name in lines}

	def test_everybody_has_a_place(self) -> None:
		states = {who: line["state"] for who, line in self.look("09:30").items()}
		self.assertEqual(
			states,
			{
				"on time": "in",
				"late": "in",
				"gone": "left",
				"on break": "in",
				"missing": "missing",
				"unread": "missing",
				# Its window is over; HRMS has not judged it, and the terminal was never read.
				"never read": "missing",
				"on leave": "on_leave",
				"came on leave": "in",
				"day off": "off",
				"came on a day off": "in",
				"afternoon": "expected",
				"absent": "absent",
				"night": "expected",
				"night, not come": "expected",
				"by hand": "in",
				"no shift": "no_shift",
				"no shift, in": "in",
				"twice": "left",
			},
		)

	def test_since_when_how_late_and_where(self) -> None:
		lines = self.look("09:30")
		on_time, late, gone = (lines[who] for who in ("on time", "late", "gone"))
		self.assertEqual((on_time["late"], late["late"]), (0, 20))
		self.assertEqual(
			(late["came"], late["since"], late["device"]),
			(datetime(2026, 3, 2, 9, 20), datetime(2026, 3, 2, 9, 20), self.device),
		)
		self.assertEqual((gone["since"], gone["came"].hour), (datetime(2026, 3, 2, 9, 12), 8))
		self.assertEqual(
			[lines[who]["on_break"] for who in ("on time", "on break")],
			[False, True],
		)
		self.assertEqual(lines["afternoon"]["starts"], datetime(2026, 3, 2, 14))

	def test_what_no_terminal_was_read_for_is_said(self) -> None:
		lines = self.look("09:30")
		self.assertEqual(
			[(lines[who]["unread"], lines[who]["read_until"]) for who in ("missing", "unread", "never read")],
			[(False, None), (True, datetime(2026, 3, 1, 20)), (True, None)],
		)
		# Nor later in the day: HRMS has not been let past what was read.
		evening = self.look("19:00")
		self.assertEqual({evening[who]["state"] for who in ("missing", "unread", "never read")}, {"missing"})

	def test_before_anybody_need_be_here(self) -> None:
		lines = self.look("08:20")
		self.assertEqual({lines[who]["state"] for who in ("missing", "unread", "afternoon")}, {"expected"})

	def test_last_night_s_shift_is_shown_until_it_is_over(self) -> None:
		lines = self.look("05:30")
		self.assertEqual(
			[
				(lines[who]["state"], lines[who]["date"], lines[who]["late"])
				for who in ("night", "night, not come")
			],
			[("in", SUNDAY, 0), ("missing", SUNDAY, 0)],
		)
		self.assertEqual(lines["night"]["since"], datetime(2026, 3, 1, 21, 55))
		lines = self.look("06:30")
		self.assertEqual((lines["night"]["state"], lines["night"]["date"]), ("left", SUNDAY))
		self.assertEqual(self.look("07:00")["night"]["date"], MONDAY)

	def test_of_two_shifts_the_one_that_opened_last_is_shown(self) -> None:
		shown = {at: self.look(at)["twice"] for at in ("05:30", "08:10", "12:00", "13:00", "14:20")}
		self.assertEqual(
			[(line["state"], line["shift"].split()[-1]) for line in shown.values()],
			[
				("in", "Early"),
				("left", "Early"),
				("left", "Early"),
				("expected", "Late"),
				("missing", "Late"),
			],
		)

	def test_a_date_that_is_over(self) -> None:
		chosen = choice.of_filters({"date": str(MONDAY)})
		lines = {
			line["employee"]: line for line in morning.look(chosen, moments.from_site("2026-03-20 12:00:00"))
		}
		states = {who: lines[self.people[who]]["state"] for who in ("on time", "gone", "day off", "unread")}
		self.assertEqual(states, {"on time": "left", "gone": "left", "day off": "off", "unread": "missing"})

	def test_filters(self) -> None:
		self.assertEqual(set(self.look("09:30", department=self.department)), {"late", "missing"})
		self.assertEqual(
			set(self.look("09:30", shift=self.shifts["Late"])),
			{"afternoon", "twice"},
		)
		self.assertEqual(self.look("09:30", branch="no such branch"), {})

	def test_only_who_has_changed(self) -> None:
		before = moments.now() + timedelta(minutes=1)  # past what the others' punches have written
		checkin = frappe.get_doc(
			{
				"doctype": "Employee Checkin",
				"employee": self.people["missing"],
				"time": datetime(2026, 3, 2, 9, 29),
				"log_type": "IN",
			}
		).insert()
		self.addCleanup(frappe.delete_doc, checkin.doctype, checkin.name, force=True)
		frappe.db.set_value(
			checkin.doctype, checkin.name, "modified", before + timedelta(seconds=1), update_modified=False
		)
		changed = morning.changed_since(choice.of_filters({"date": str(MONDAY)}), before)
		self.assertEqual(changed.employees, (self.people["missing"],))
		(line,) = morning.look(changed, moments.from_site(f"{MONDAY} 09:30"))
		self.assertEqual((line["state"], line["late"]), ("in", 29))

	def test_a_program_asks_on_and_gets_what_has_changed(self) -> None:
		first = api.board(date=str(MONDAY))
		self.assertTrue(first["whole"])
		later = str(first["now"] + timedelta(seconds=40))
		self.assertTrue(api.board(date=str(MONDAY), since=later)["whole"])  # of the future
		earlier = str(first["now"] - timedelta(hours=1))
		self.assertTrue(api.board(date=str(MONDAY), since=earlier)["whole"])
		on = api.board(date=str(MONDAY), since=str(first["now"]))
		self.assertFalse(on["whole"])
		self.assertLessEqual(len(on["people"]), len(first["people"]))
		with self.assertRaises(frappe.ValidationError):
			api.board(since="yesterday")

	def test_each_sees_whom_they_may(self) -> None:
		def seen(user: str) -> set[str]:
			frappe.set_user(user)
			names = {line["employee"] for line in api.board(date=str(MONDAY))["people"]}
			return {who for who, name in self.people.items() if name in names}

		everybody = set(self.people) - {"left the company", "joins later"}
		self.assertEqual(seen(premises.user("hr-user", "HR User")), everybody)
		self.assertEqual(seen(self.head), {"late", "missing"})
		for name, role in (("worker", "Employee"), ("sales", "Sales User")):
			frappe.set_user(premises.user(name, role))
			self.assertRaises(frappe.PermissionError, api.board, date=str(MONDAY))

	def test_what_the_charts_tell(self) -> None:
		yesterday = moments.now().date() - timedelta(days=1)
		before = {each["name"]: each["values"][-1] for each in self._by_day()}
		for who, values in {
			"on time": {"status": "Present", "bridge_day_status": "On Time"},
			"late": {"status": "Present", "bridge_day_status": "Late"},
			# Not counted yet: HRMS's own word.
			"gone": {"status": "Half Day", "late_entry": 1},
			"missing": {"status": "Absent", "bridge_day_status": "Absent"},
			"on leave": {"status": "On Leave", "bridge_day_status": "On Leave"},
		}.items():
			name = self._row(
				"Attendance",
				employee=self.people[who],
				company=premises.company(),
				attendance_date=yesterday,
				department=self.department,
				**values,
			)
			self.addCleanup(frappe.db.delete, "Attendance", {"name": name})
		after = {each["name"]: each["values"][-1] for each in self._by_day()}
		self.assertEqual(
			{name: after[name] - before[name] for name in after},
			{"Present": 1, "Late": 2, "Absent": 1, "On Leave": 1},
		)
		frappe.set_user(self.head)
		self.assertRaises(frappe.PermissionError, self._by_day)

	def test_departments_of_a_chart(self) -> None:
		"""A hundred years ago nobody else has overtime."""
		day = date(1926, 3, 2)
		self.assertEqual(figures_api.overtime_by_department({"month": str(day)}), {})
		one = frappe.get_doc(
			{
				"doctype": "Department",
				"department_name": f"{premises.MARK} Loom",
				"company": premises.company(),
			}
		).insert()
		self.addCleanup(frappe.db.delete, "Department", {"name": one.name})
		for hours, department in enumerate(
			[None, *(f"{premises.MARK} gone {n}" for n in range(5)), one.name], 1
		):
			name = self._row(
				"Attendance",
				employee=self.people["late"],
				company=premises.company(),
				attendance_date=day,
				department=department,
				status="Present",
				bridge_overtime=hours * 7200,
				bridge_extra_overtime=hours * 360,
			)
			self.addCleanup(frappe.db.delete, "Attendance", {"name": name})
		told = figures_api.overtime_by_department({"month": str(day)})
		gone = [f"{premises.MARK} gone {number}" for number in (4, 3, 2, 1)]
		self.assertEqual(told["labels"], [one.department_name, *gone, "All Others"])
		# 7 x 2 hours … 3 x 2, and those of 1 and 2 together; from ten on whole hours are enough
		self.assertEqual(told["datasets"][0]["values"], [14, 12, 10, 8.0, 6.0, 6.0])
		self.assertEqual(told["datasets"][1]["values"], [0.7, 0.6, 0.5, 0.4, 0.3, 0.3])

	def _by_day(self) -> list[dict[str, Any]]:
		return figures_api.attendance_by_day({"days": "2", "company": premises.company()})["datasets"]

	def test_statements_do_not_depend_on_the_people(self) -> None:
		few, many = {"department": self.department}, {}
		self.assertEqual(self._statements(few), self._statements(many))

	def _statements(self, filters: dict[str, Any]) -> int:
		chosen = choice.of_filters({"date": str(MONDAY), **filters})
		now = moments.from_site(f"{MONDAY} 09:30")
		morning.look(chosen, now)  # fills what is cached
		execute, count = frappe.db.sql, 0

		def counted(*args: Any, **values: Any) -> Any:
			nonlocal count
			count += 1
			return execute(*args, **values)

		frappe.db.sql = counted
		try:
			morning.look(chosen, now)
		finally:
			frappe.db.sql = execute
		return count
