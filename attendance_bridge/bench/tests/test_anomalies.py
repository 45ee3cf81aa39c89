"""Anomalies on a real HRMS: found, closed by themselves, decided about, corrected by HRMS's own means."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.api import anomalies as api
from attendance_bridge.bench import moments, reviewing
from attendance_bridge.bench.anomalies import access, nightly, patterns, register, rejudging
from attendance_bridge.bench.anomalies.finding import Finding
from attendance_bridge.bench.anomalies.register import Scope
from attendance_bridge.bench.deciding import settle_received
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.bench.workdays import counting, due

MONDAY = date(2026, 3, 2)
SHIFT = {
	"enable_auto_attendance": 1,
	"process_attendance_after": MONDAY,
	"last_sync_of_checkin": datetime(2026, 3, 3, 2),
	"determine_check_in_and_check_out": "Strictly based on Log Type in Employee Checkin",
	"working_hours_calculation_based_on": "Every Valid Check-in and Check-out",
	"working_hours_threshold_for_absent": 1,
}
HOSTILE = "<img src=x onerror=alert(1)> ' \" \\ %s {0} 日本"


PEOPLE: dict[int, str] = {}
"""Made once: what is cleared after each test is what happened to them."""


def setUpModule() -> None:
	_clear()
	holidays = {
		"holiday_list_name": f"{premises.MARK} None",
		"from_date": "2026-01-01",
		"to_date": "2026-12-31",
	}
	if not frappe.db.exists("Holiday List", holidays["holiday_list_name"]):
		frappe.get_doc({"doctype": "Holiday List", **holidays}).insert()
	shift = premises.shift_type("Anomalies", "09:00:00", "17:00:00", after=480, **SHIFT)
	for number in range(1, 6):
		PEOPLE[number] = premises.employee(
			number,
			device_user_id=f"abt{number}",
			default_shift=shift,
			holiday_list=holidays["holiday_list_name"],
			department=_department(),
		)
	for number, branch in ((1, "North"), (2, "South"), (3, "North")):
		terminals.silent(number, branch=_branch(branch))
	frappe.db.commit()


def tearDownModule() -> None:
	_clear()


def _clear() -> None:
	_clear_what_happened()
	premises.clear()
	for doctype in ("Holiday List", "Branch"):
		frappe.db.delete(doctype, {"name": ("like", f"{premises.MARK} %")})
	frappe.db.commit()


def _clear_what_happened() -> None:
	frappe.set_user("Administrator")
	people = premises.own_employees() or [""]
	premises.clear_anomalies(people)
	checkins = frappe.get_all("Employee Checkin", {"employee": ("in", people)}, pluck="name") or [""]
	frappe.db.delete("Comment", {"reference_name": ("in", checkins)})
	for doctype in ("Attendance Request", "Attendance", "Employee Checkin"):
		frappe.db.delete(doctype, {"employee": ("in", people)})
	frappe.db.delete("Punch Log", {"device": ("like", f"{premises.MARK} %")})


class Anomalies(IntegrationTestCase):
	"""A company with a shift of 9 to 5, whose Monday is judged."""

	shift = f"{premises.MARK} Anomalies"

	def setUp(self) -> None:
		self.addCleanup(frappe.db.commit)
		self.addCleanup(_clear_what_happened)
		self.addCleanup(self._set_shift, **SHIFT, holiday_list=None)

	def _set_shift(self, **values: Any) -> None:
		frappe.db.set_value("Shift Type", self.shift, values)
		frappe.clear_document_cache("Shift Type", self.shift)

	def employee(self, number: int, **values: Any) -> str:
		if values:
			former = frappe.db.get_value("Employee", PEOPLE[number], list(values), as_dict=True)
			self.addCleanup(frappe.db.set_value, "Employee", PEOPLE[number], former)
			frappe.db.set_value("Employee", PEOPLE[number], values)
		return PEOPLE[number]

	def check_in(self, employee: str, *punches: str, day: date = MONDAY) -> list[Any]:
		"""Check-ins, each as "IN 09:00"."""
		return [
			frappe.get_doc(
				{
					"doctype": "Employee Checkin",
					"employee": employee,
					"time": f"{day} {punch.split()[1]}:00",
					"log_type": punch.split()[0],
				}
			).insert()
			for punch in punches
		]

	def judge(self) -> None:
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		counting.count_all()

	def found(self, employee: str | None = None, **filters: Any) -> list[Any]:
		people = [employee] if employee else premises.own_employees()
		return frappe.get_all(
			register.DOCTYPE,
			filters={"employee": ("in", people), **filters},
			fields=["*"],
			order_by="attendance_date, kind, employee",
		)

	def kinds(self, employee: str, state: str = "Open") -> list[str]:
		return [row.kind for row in self.found(employee, state=state)]

	def one(self, employee: str, **filters: Any) -> Any:
		(row,) = self.found(employee, **filters)
		return row

	def comments(self, name: str) -> list[str]:
		filters = {"reference_doctype": register.DOCTYPE, "reference_name": name}
		return frappe.get_all("Comment", filters, pluck="content", order_by="creation")

	def attendance(self, employee: str, day: date = MONDAY) -> Any:
		return frappe.db.get_value(
			"Attendance", {"employee": employee, "attendance_date": day, "docstatus": 1}, "*", as_dict=True
		)


class TestDays(Anomalies):
	def test_a_missing_out_is_queued_with_what_tells_it(self) -> None:
		employee = self.employee(1)
		(checkin,) = self.check_in(employee, "IN 09:00")
		self.judge()

		row = self.one(employee)
		self.assertEqual((row.kind, row.state, row.shift), ("Missing OUT", "Open", self.shift))
		self.assertEqual(row.reason, "No OUT follows the last punch, at 09:00.")
		self.assertEqual(row.advice, "Ask when the person left, and add the missing punch.")
		self.assertEqual(row.attendance, self.attendance(employee).name)
		self.assertEqual((row.company, row.department), (premises.company(), _department()))
		(punch,) = frappe.get_doc(register.DOCTYPE, row.name).punches
		self.assertEqual((punch.employee_checkin, punch.log_type), (checkin.name, "IN"))

	def test_each_kind_once(self) -> None:
		wrong_way, twice = self.employee(1), self.employee(2)
		self.check_in(wrong_way, "OUT 09:00", "OUT 12:00", "IN 13:00")
		self.check_in(twice, "IN 09:00", "IN 10:00", "OUT 17:00")
		self.judge()
		due.mark_range(MONDAY, MONDAY)
		counting.count_all()
		self.assertEqual(self.kinds(wrong_way), ["Missing IN", "Missing OUT", "OUT after OUT"])
		self.assertEqual(self.kinds(twice), ["IN after IN"])
		self.assertEqual(self.one(twice).reason, "The IN at 09:00 is followed by an IN at 10:00.")

	def test_it_closes_by_itself_and_is_not_reopened_silently(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "IN 09:00")
		self.judge()
		name = self.one(employee).name
		(out,) = self.check_in(employee, "OUT 17:00")
		counting.count_all()
		row = self.one(employee, kind="Missing OUT")
		self.assertEqual((row.state, row.by_itself, row.decided_by), ("Resolved", 1, None))
		self.assertIn("closed this: its cause is gone", self.comments(name))
		# HRMS holds no hours of that day, and the punches come to eight.
		self.assertEqual(self.one(employee, state="Open").kind, "Hours Differ")
		self.assertIn("HRMS holds 0", self.one(employee, state="Open").reason)

		out.delete()
		counting.count_all()
		row = self.one(employee, kind="Missing OUT")
		self.assertEqual((row.name, row.state, row.reopened), (name, "Open", 1))
		self.assertIn("opened this again: it was found anew", self.comments(name))

	def test_what_somebody_decided_stays_until_something_new_tells_of_it(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "IN 09:00")
		self.judge()
		name = self.one(employee).name
		self.assertEqual(api.dismiss([name], "left by the back door"), {"anomalies": 1})
		due.mark_range(MONDAY, MONDAY)
		counting.count_all()
		row = self.one(employee)
		self.assertEqual((row.state, row.remark), ("Dismissed", "left by the back door"))

		self.check_in(employee, "OUT 12:00", "IN 13:00")
		counting.count_all()
		row = self.one(employee, kind="Missing OUT")
		self.assertEqual((row.state, row.reopened, row.remark), ("Open", 1, None))

	def test_two_counts_at_once_keep_one(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "IN 09:00")
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		rows = counting._due()
		# The other one begins from the same rows, and ends before this one writes.
		premises.elsewhere(lambda: counting.count(rows))
		counting.count(rows)
		frappe.db.commit()
		self.assertEqual(self.kinds(employee), ["Missing OUT"])
		self.assertEqual(self.one(employee).reopened, 0)

	def test_what_is_out_of_date_is_not_kept(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "IN 09:00")
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		rows = [row for row in counting._due() if row.employee == employee]
		due.mark_days([(employee, MONDAY)])
		self.assertEqual(counting.count(rows), 0)
		self.assertEqual(self.found(employee), [])

	def test_the_number_of_statements_does_not_depend_on_people(self) -> None:
		for number in PEOPLE:
			self.check_in(self.employee(number), "IN 09:00")
		frappe.get_doc("Shift Type", self.shift).process_auto_attendance()
		rows = frappe.get_all("Attendance", {"shift": self.shift, "attendance_date": MONDAY}, ["*"])
		few = _statements(lambda: counting.count(rows[:2]))
		many = _statements(lambda: counting.count(rows[2:]))
		self.assertEqual(few, many)

	def test_names_that_look_like_something_else(self) -> None:
		employee = self.employee(1, employee_name=HOSTILE)
		self.check_in(employee, "IN 09:00")
		self.judge()
		name = self.one(employee).name
		api.dismiss([name], HOSTILE)
		self.assertEqual(self.one(employee).remark, HOSTILE)
		self.assertNotIn("<img", "".join(self.comments(name)))

	def test_nothing_of_a_person_outlives_them(self) -> None:
		employee = premises.employee(6)
		finding = Finding(employee=employee, date=MONDAY, kind="Missing OUT", reason="x")
		scope = Scope(kinds=(finding.kind,), first=MONDAY, last=MONDAY)
		register.keep([finding], scope)
		name = frappe.db.get_value(register.DOCTYPE, {"employee": employee})
		api.dismiss([name], "x")
		frappe.delete_doc("Employee", employee)
		self.assertFalse(frappe.db.exists(register.DOCTYPE, name))
		self.assertEqual(self.comments(name), [])

	def test_nobody_writes_or_deletes_one(self) -> None:
		employee = self.employee(1)
		self.check_in(employee, "IN 09:00")
		self.judge()
		document = frappe.get_doc(register.DOCTYPE, self.one(employee).name)
		for act in (document.save, document.delete):
			with self.assertRaises(frappe.ValidationError):
				act()


class TestCorrecting(Anomalies):
	def missing_out(self, number: int = 1) -> tuple[str, str]:
		employee = self.employee(number)
		self.check_in(employee, "IN 09:00")
		self.judge()
		return employee, self.one(employee).name

	def test_a_missing_punch_gives_the_day_its_hours(self) -> None:
		employee, name = self.missing_out()
		former = self.attendance(employee)
		self.assertEqual((former.status, former.working_hours), ("Absent", 0))

		added = api.add_punch(name, f"{MONDAY} 17:30:00", "OUT", f"was seen leaving {HOSTILE}")
		checkin = frappe.get_doc("Employee Checkin", added["checkin"])
		self.assertEqual(checkin.bridge_added_by, "Administrator")
		self.assertIn("was seen leaving", checkin.bridge_added_why)
		self.assertEqual(frappe.db.get_value("Attendance", former.name, "docstatus"), 2)
		rejudging.judge(self.shift)
		counting.count_all()
		day = self.attendance(employee)
		self.assertEqual((day.status, day.working_hours), ("Present", 8.5))
		row = self.one(employee)
		self.assertEqual((row.state, row.by_itself, row.attendance), ("Resolved", 1, former.name))

	def test_a_punch_that_hrms_would_not_count_is_not_added(self) -> None:
		employee, name = self.missing_out()
		for time, log_type, why in (
			(f"{MONDAY} 17:30:00", "OUT", " "),
			(f"{MONDAY} 17:30:00", "BREAK", "x"),
			("soon", "OUT", "x"),
			("2026-03-01 17:00:00", "OUT", "x"),
			("2026-03-04 00:00:00", "OUT", "x"),
			(f"{MONDAY + timedelta(days=1)} 09:00:00", "OUT", "of the next shift"),
		):
			with self.subTest(time=time, log_type=log_type), self.assertRaises(frappe.ValidationError):
				api.add_punch(name, time, log_type, why)
			frappe.db.rollback()
		self.assertEqual(frappe.db.count("Employee Checkin", {"employee": employee}), 1)
		self.assertTrue(self.attendance(employee))

	def test_nothing_is_cancelled_that_hrms_would_not_make_again(self) -> None:
		employee, name = self.missing_out()
		self._set_shift(last_sync_of_checkin=datetime(2026, 3, 2))
		answer = api.judge_again([name])
		self.assertEqual(answer["made"], [])
		self.assertIn("does not reach", answer["refused"][0])
		self.assertTrue(self.attendance(employee))

	def test_a_late_check_in_that_hrms_has_skipped_counts_when_the_day_is_judged_again(self) -> None:
		employee, _name = self.missing_out()
		(late,) = self.check_in(employee, "OUT 16:00")
		self.judge()
		# HRMS will not touch a day that it has judged.
		self.assertEqual(frappe.db.get_value("Employee Checkin", late.name, "skip_auto_attendance"), 1)
		self.assertEqual(self.kinds(employee), ["Hours Differ"])

		name = self.one(employee, state="Open").name
		self.assertEqual(len(api.judge_again([name])["made"]), 1)
		rejudging.judge(self.shift)
		counting.count_all()
		self.assertEqual(self.attendance(employee).working_hours, 7)
		self.assertEqual(self.kinds(employee), [])

	def test_an_attendance_request_changes_the_status_and_no_hours(self) -> None:
		employee, name = self.missing_out()
		(request,) = api.request_attendance([name], explanation="forgot the card")["made"]
		self.assertEqual(self.one(employee).attendance_request, request)
		self.assertEqual(self.one(employee).state, "Open")
		again = api.request_attendance([name])
		self.assertEqual(again["made"], [])
		self.assertIn("overlaps", again["refused"][0])

		document = frappe.get_doc("Attendance Request", request)
		document.submit()
		day = self.attendance(employee)
		self.assertEqual((day.status, day.working_hours), ("Present", 0))
		self.assertIsNone(day.bridge_counted_at)
		counting.count_all()
		row = self.one(employee)
		self.assertEqual((row.state, row.decided_by), ("Resolved", "Administrator"))

		# What a request has corrected is not cancelled behind its back.
		api.reopen([name], "look again")
		self.assertIn(request, api.judge_again([name])["refused"][0])
		api.resolve([name], "as it was")
		document.reload()
		document.cancel()
		self.assertEqual(self.one(employee).state, "Open")

	def test_a_request_needs_one_of_hrms_s_reasons(self) -> None:
		_employee, name = self.missing_out()
		with self.assertRaises(frappe.ValidationError):
			api.request_attendance([name], reason="Because")

	def test_many_at_once(self) -> None:
		pairs = [self.missing_out(number) for number in range(1, 4)]
		names = [name for _employee, name in pairs]
		self.assertEqual(len(api.request_attendance(names)["made"]), 3)
		self.assertEqual(api.dismiss(names, "all of them"), {"anomalies": 3})
		self.assertEqual(api.dismiss(names, "once more"), {"anomalies": 0})
		self.assertEqual(api.reopen(names[:2], "no"), {"anomalies": 2})
		for wrong in ("no list", "{}", [1], [], ["x"] * 501):
			with self.subTest(wrong=wrong), self.assertRaises(frappe.ValidationError):
				api.dismiss(wrong, "x")


class TestWho(Anomalies):
	def setUp(self) -> None:
		super().setUp()
		self.users = {
			"hr": premises.user("anomalies-hr", "HR User"),
			"head": premises.user("anomalies-head", "Leave Approver", "Employee"),
			"worker": premises.user("anomalies-worker", "Employee"),
			"reader": premises.user("anomalies-reader", "System Manager"),
		}
		self.worker = self.employee(1, user_id=self.users["worker"], leave_approver=self.users["head"])
		self.head = self.employee(2, user_id=self.users["head"])
		self.other = self.employee(3)
		for who in ("worker", "head"):  # ERPNext takes the role from whoever is no employee
			frappe.get_doc("User", self.users[who]).add_roles("Employee")
		for employee in (self.worker, self.head, self.other):
			self.check_in(employee, "IN 09:00")
		self.judge()
		self.names = {employee: self.one(employee).name for employee in (self.worker, self.head, self.other)}

	def seen(self, who: str) -> set[str]:
		frappe.set_user(self.users[who])
		rows = frappe.get_list(register.DOCTYPE, pluck="name", limit_page_length=0)
		children = frappe.get_list(
			register.PUNCH, parent_doctype=register.DOCTYPE, pluck="parent", limit_page_length=0
		)
		own = set(self.names.values())
		self.assertEqual(set(children) & own, set(rows) & own)
		return set(rows) & own

	def test_who_sees_what(self) -> None:
		everything = set(self.names.values())
		self.assertEqual(self.seen("hr"), everything)
		self.assertEqual(self.seen("reader"), everything)
		self.assertEqual(self.seen("head"), {self.names[self.worker], self.names[self.head]})
		self.assertEqual(self.seen("worker"), {self.names[self.worker]})
		frappe.get_doc(register.DOCTYPE, self.names[self.worker]).check_permission("read")
		with self.assertRaises(frappe.PermissionError):
			frappe.get_doc(register.DOCTYPE, self.names[self.other]).check_permission("read")

	def test_who_decides(self) -> None:
		worker, head, other = (self.names[each] for each in (self.worker, self.head, self.other))
		for who, name, allowed in (
			("worker", worker, False),
			("worker", other, False),
			("reader", worker, False),
			("head", worker, True),
			("head", head, False),
			("head", other, False),
			("hr", head, True),
			("hr", other, True),
		):
			frappe.set_user(self.users[who])
			with self.subTest(who=who, name=name):
				if allowed:
					self.assertEqual(api.dismiss([name], "seen"), {"anomalies": 1})
				else:
					with self.assertRaises(frappe.PermissionError):
						api.dismiss([name], "seen")
		frappe.set_user("Administrator")
		self.assertEqual(self.one(self.worker).decided_by, self.users["head"])

	def test_one_that_is_not_seen_spoils_the_whole_choice(self) -> None:
		frappe.set_user(self.users["head"])
		with self.assertRaises(frappe.PermissionError):
			api.dismiss([self.names[self.worker], self.names[self.other]], "x")
		frappe.set_user("Administrator")
		self.assertEqual(self.one(self.worker).state, "Open")

	def test_the_head_drafts_a_request_and_touches_no_attendance(self) -> None:
		frappe.set_user(self.users["head"])
		(request,) = api.request_attendance([self.names[self.worker]])["made"]
		self.assertEqual(frappe.db.get_value("Attendance Request", request, "docstatus"), 0)
		for act in (
			lambda: api.judge_again([self.names[self.worker]]),
			lambda: api.add_punch(self.names[self.worker], f"{MONDAY} 17:00:00", "OUT", "x"),
		):
			with self.assertRaises(frappe.PermissionError):
				act()

	def test_the_person_is_not_told_of_a_pattern(self) -> None:
		frappe.db.set_value(register.DOCTYPE, self.names[self.worker], "kind", "Punches Together")
		self.assertEqual(self.seen("worker"), set())
		document = frappe.get_doc(register.DOCTYPE, self.names[self.worker])
		self.assertFalse(access.may_see(document))
		self.assertIn(self.names[self.worker], self.seen("head"))
		document.apply_fieldlevel_read_permissions()
		self.assertFalse(document.get("others"))


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
		self._set_device(2, branch=_branch("North"))
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
		few = _statements(lambda: patterns.look(self.yesterday))
		for number in (3, 4, 5):
			for back in range(5):
				self.punch(f"abt{number}", self.yesterday - timedelta(days=back), "09:00:04")
		many = _statements(lambda: patterns.look(self.yesterday))
		self.assertEqual(few, many)
		self.assertEqual(len(self.found()), 5)


def _statements(act: Any) -> int:
	act()  # what is read once and kept is read, and what is to be written is written
	seen: list[str] = []
	execute = frappe.db.sql

	def counted(query: Any, *arguments: Any, **options: Any) -> Any:
		seen.append(str(query))
		return execute(query, *arguments, **options)

	frappe.db.sql = counted
	try:
		act()
	finally:
		frappe.db.sql = execute
	return len(seen)


def _department() -> str:
	return str(frappe.get_all("Department", {"company": premises.company()}, pluck="name", limit=1)[0])


def _branch(name: str) -> str:
	branch = f"{premises.MARK} {name}"
	if not frappe.db.exists("Branch", branch):
		frappe.get_doc({"doctype": "Branch", "branch": branch}).insert()
	return branch
