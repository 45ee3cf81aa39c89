"""Who sees which punches, and who may do what with a terminal: asked as each of them."""

from __future__ import annotations

import uuid
from datetime import date, datetime, timedelta
from typing import Any

import frappe
import frappe.client
from frappe.desk.reportview import build_match_conditions

from attendance_bridge.api import devices as api
from attendance_bridge.bench import moments
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests.test_device_configuration import hikvision
from attendance_bridge.install import AGENT_ROLE

PUNCHED_AT = datetime(2026, 3, 2, 8, 0)


def _user(name: str, *roles: str) -> str:
	email = f"{name}-{frappe.generate_hash(length=6)}@example.com"
	document = frappe.get_doc(
		{
			"doctype": "User",
			"email": email,
			"first_name": name,
			"send_welcome_email": 0,
			"user_type": "System User",
		}
	)
	document.append_roles(*roles)
	return document.insert(ignore_permissions=True).name


def _department(
	name: str, parent: str | None = None, *, approver: str | None = None, is_group: int = 0
) -> str:
	document = frappe.get_doc(
		{
			"doctype": "Department",
			"department_name": f"{name} {frappe.generate_hash(length=6)}",
			"parent_department": parent,
			"company": _company(),
			"is_group": is_group,
		}
	)
	if approver:
		document.append("leave_approvers", {"approver": approver})
	return document.insert(ignore_permissions=True).name


def _employee(name: str, **values: Any) -> str:
	document = frappe.get_doc(
		{
			"doctype": "Employee",
			"first_name": name,
			"employee_number": f"ABT-P-{frappe.generate_hash(length=8)}",
			"company": _company(),
			"gender": "Other",
			"date_of_birth": date(1990, 1, 1),
			"date_of_joining": date(2020, 1, 1),
			"status": "Active",
			**values,
		}
	)
	return document.insert(ignore_permissions=True).name


def _company() -> str:
	return frappe.get_all("Company", pluck="name", limit=1)[0]


def _punch(employee: str | None) -> str:
	values = {
		"doctype": "Punch Log",
		"__newname": str(uuid.uuid4()),
		"device_serial": "ABT-PERMISSIONS",
		"device_user_id": "7",
		"employee": employee,
		"occurred_at": PUNCHED_AT,
		"status": "Checked in" if employee else "Unmapped",
	}
	return frappe.get_doc(values).insert(ignore_permissions=True).name


class TestPermissions(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		# ERPNext takes the role Employee away from a user until an Employee is theirs, and gives it then.
		cls.worker, cls.head, cls.boss, cls.approver = (
			_user(name) for name in ("worker", "head", "boss", "approver")
		)
		cls.above = _department("Above", "All Departments", approver=cls.head, is_group=1)
		cls.below = _department("Below", cls.above)
		boss = _employee("Boss", user_id=cls.boss)
		head = _employee("Head", user_id=cls.head)
		cls.punches = {
			"worker": _punch(_employee("Worker", user_id=cls.worker, department=cls.below)),
			"colleague": _punch(_employee("Colleague", department=cls.below)),
			"report": _punch(_employee("Report", reports_to=boss)),
			"approved": _punch(_employee("Approved", leave_approver=cls.approver)),
			"boss": _punch(boss),
			"head": _punch(head),
			"stranger": _punch(_employee("Stranger")),
			"nobody": _punch(None),
		}

	def tearDown(self) -> None:
		frappe.set_user("Administrator")

	def _seen(self, user: str) -> set[str]:
		"""Whose punches a user sees, in the list and one by one: the two must agree."""
		frappe.set_user(user)
		listed = set(
			frappe.get_list(
				"Punch Log", filters={"device_serial": "ABT-PERMISSIONS"}, pluck="name", limit_page_length=0
			)
		)
		opened = {
			whose
			for whose, name in self.punches.items()
			if frappe.get_doc("Punch Log", name).has_permission("read")
		}
		frappe.set_user("Administrator")
		self.assertEqual({self.punches[whose] for whose in opened}, listed & set(self.punches.values()))
		return opened

	def test_those_who_run_it_see_all(self) -> None:
		for role in ("System Manager", "HR Manager", "HR User"):
			with self.subTest(role=role):
				self.assertEqual(self._seen(_user("all", role)), set(self.punches))

	def test_employees_see_their_own(self) -> None:
		self.assertEqual(self._seen(self.worker), {"worker"})

	def test_the_head_of_a_department_sees_it_and_those_below_it(self) -> None:
		self.assertEqual(self._seen(self.head), {"head", "worker", "colleague"})

	def test_people_see_those_who_report_to_them(self) -> None:
		self.assertEqual(self._seen(self.boss), {"boss", "report"})

	def test_a_leave_approver_sees_whose_leave_they_approve(self) -> None:
		self.assertEqual(self._seen(self.approver), {"approved"})

	def test_the_record_itself_is_for_those_who_run_it(self) -> None:
		"""It holds what opens doors: the number of a card."""
		frappe.db.set_value("Punch Log", self.punches["worker"], "raw", '{"cardNo": "4711"}')
		for user, sees in ((_user("hr", "HR User"), True), (self.worker, False), (self.head, False)):
			frappe.set_user(user)
			with self.subTest(user=user):
				filters = {"name": self.punches["worker"]}
				(row,) = frappe.get_list("Punch Log", filters=filters, fields=["name", "raw"])
				self.assertEqual("4711" in (row.get("raw") or ""), sees)
				opened = frappe.client.get("Punch Log", self.punches["worker"])
				self.assertEqual("4711" in (opened.get("raw") or ""), sees)

	def test_a_list_is_read_by_employee_and_not_through_all_punches(self) -> None:
		for user in (self.worker, self.head):
			frappe.set_user(user)
			condition = build_match_conditions("Punch Log")
			plan = frappe.db.sql(
				f"EXPLAIN SELECT `name` FROM `tabPunch Log` FORCE INDEX (`employee_occurred_utc_index`)"
				f" WHERE {condition}",
				as_dict=True,
			)
			with self.subTest(user=user):
				self.assertEqual([row.select_type for row in plan], ["SIMPLE"], plan)
				self.assertIn(plan[0].type, ("ref", "range"))

	def test_an_approver_of_nobody_sees_nothing(self) -> None:
		self.assertEqual(self._seen(_user("none", "Leave Approver")), set())

	def test_nobody_else_gets_at_them_at_all(self) -> None:
		for user in (_user("agent", AGENT_ROLE), _user("sales", "Sales User"), "Guest"):
			frappe.set_user(user)
			with self.subTest(user=user):
				self.assertRaises(frappe.PermissionError, frappe.get_list, "Punch Log")

	def test_nobody_edits_or_deletes_a_punch(self) -> None:
		punch = frappe.get_doc("Punch Log", self.punches["worker"])
		for user in ("Administrator", _user("manager", "System Manager", "HR Manager")):
			frappe.set_user(user)
			with self.subTest(user=user):
				punch.device_user_id = "8"
				self.assertRaises((frappe.ValidationError, frappe.PermissionError), punch.save)
				self.assertRaises((frappe.ValidationError, frappe.PermissionError), punch.delete)

	def test_only_system_managers_reach_for_a_terminal(self) -> None:
		device = hikvision().insert().name
		acts = (api.test_connection, api.sync_clock, api.fetch_checkins, api.accept_new_terminal)
		for user in (_user("hr", "HR Manager"), self.worker, _user("agent", AGENT_ROLE), "Guest"):
			frappe.set_user(user)
			for act in acts:
				with self.subTest(user=user, act=act.__name__):
					self.assertRaises(frappe.PermissionError, act, device)

	def test_the_form_is_for_those_who_may_read_it(self) -> None:
		frappe.set_user(_user("hr", "HR User"))
		self.assertIn("hikvision_isapi", [driver["name"] for driver in api.form_context()["drivers"]])
		frappe.set_user(self.worker)
		self.assertRaises(frappe.PermissionError, api.form_context)

	def test_an_agent_has_its_role_and_no_right_to_any_doctype(self) -> None:
		user = _user("edge")
		frappe.get_doc({"doctype": "Edge Agent", "agent_name": f"Agent of {user}", "user": user}).insert()
		self.assertIn(AGENT_ROLE, frappe.get_roles(user))
		self.assertFalse(frappe.get_all("DocPerm", filters={"role": AGENT_ROLE}))
		self.assertFalse(frappe.get_all("Custom DocPerm", filters={"role": AGENT_ROLE}))

	def test_the_log_of_runs_forgets_what_is_old(self) -> None:
		old, fresh = (
			frappe.get_doc({"doctype": "Device Sync Log", "trigger": "Scheduler"}).insert().name
			for _ in range(2)
		)
		frappe.db.set_value(
			"Device Sync Log", old, "creation", moments.now() - timedelta(days=91), update_modified=False
		)
		frappe.get_doc("Device Sync Log", fresh).clear_old_logs(days=90)
		self.assertFalse(frappe.db.exists("Device Sync Log", old))
		self.assertTrue(frappe.db.exists("Device Sync Log", fresh))
