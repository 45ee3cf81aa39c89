"""Anomalies of days on a real HRMS: found, closed by themselves, decided about by whom they concern."""

from __future__ import annotations

import json

import frappe

from attendance_bridge.api import anomalies as api
from attendance_bridge.bench.anomalies import access, register
from attendance_bridge.bench.anomalies.finding import Finding
from attendance_bridge.bench.anomalies.register import Scope
from attendance_bridge.bench.tests import anomalies_at_work, premises
from attendance_bridge.bench.tests.anomalies_at_work import (
	HOSTILE,
	MONDAY,
	PEOPLE,
	Anomalies,
	department,
	statements,
)
from attendance_bridge.bench.workdays import counting, due


def setUpModule() -> None:
	anomalies_at_work.set_up()


def tearDownModule() -> None:
	anomalies_at_work.tear_down()


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
		self.assertEqual((row.company, row.department), (premises.company(), department()))
		(punch,) = frappe.get_doc(register.DOCTYPE, row.name).punches
		self.assertEqual((punch.employee_checkin, punch.log_type), (checkin.name, "IN"))

	def test_in_the_language_of_the_site_whoever_has_it_counted(self) -> None:
		"""What is on record; form and list tell what goes with it in the language of the reader."""
		pattern = "No OUT follows the last punch, at {0}."
		say = {"source_text": pattern, "translated_text": "Kein OUT nach {0}."}
		frappe.get_doc({"doctype": "Translation", "language": "de", **say}).insert()
		self.addCleanup(frappe.clear_cache)
		self.addCleanup(frappe.db.delete, "Translation", say)
		employee, reader = self.employee(1), frappe.local.lang
		self.addCleanup(setattr, frappe.local, "lang", reader)
		self.check_in(employee, "IN 09:00")
		frappe.local.lang = "de"
		self.judge()
		row = self.one(employee)
		self.assertEqual(row.reason, "No OUT follows the last punch, at 09:00.")
		told = json.loads(row.told)
		self.assertEqual(told["reason"], [[pattern, "09:00"]])
		self.assertEqual(told["advice"], [["Ask when the person left, and add the missing punch."]])

		# The site speaks German, and a job English.
		frappe.db.set_single_value("System Settings", "language", "de")
		self.addCleanup(frappe.db.set_single_value, "System Settings", "language", "en")
		frappe.local.lang = "en"
		frappe.clear_cache()
		due.mark_range(MONDAY, MONDAY)
		counting.count_all()
		row = self.one(employee)
		self.assertEqual((row.reason, row.state, row.reopened), ("Kein OUT nach 09:00.", "Open", 0))
		self.assertEqual(json.loads(row.told), told)
		self.assertEqual(frappe.local.lang, "en")

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
		few = statements(lambda: counting.count(rows[:2]))
		many = statements(lambda: counting.count(rows[2:]))
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
		finding = Finding(employee=employee, date=MONDAY, kind="Missing OUT", reason=())
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
		# Whom somebody reports to sees, and decides nothing.
		self.employee(3, reports_to=self.worker)
		frappe.set_user(self.users["worker"])
		self.assertTrue(frappe.get_list(register.DOCTYPE, filters={"name": other}))
		with self.assertRaises(frappe.PermissionError):
			api.reopen([other], "why")

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
