"""Every report of the app, asked for over HTTP by somebody of each role who has logged in with a password."""

from __future__ import annotations

import json
from typing import Any

import frappe

from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises
from attendance_bridge.bench.tests.site_server import Caller, SiteServer

PASSWORD = "Lorem-ipsum-27-dolor"
ROLES = ("System Manager", "HR Manager", "HR User", "Leave Approver", "Employee", "Sales User", "Guest")
HR = frozenset({"HR Manager", "HR User"})
ALL_WHO_SEE_ALL = HR | {"System Manager"}
READERS = ALL_WHO_SEE_ALL | {"Leave Approver", "Employee"}

RANGE = {"from_date": "2026-03-02", "to_date": "2026-03-03"}
REPORTS = {
	"Daily Attendance Summary": (READERS, {"date": "2026-03-02"}),
	"Monthly Timesheet": (READERS, {"month": "2026-03-02"}),
	"Late and Absent": (READERS, RANGE),
	"Overtime and Eligibility": (READERS, RANGE),
	"Punch Trail": (READERS, RANGE),
	"Payroll Export": (HR, RANGE),
	"Device against Site": (ALL_WHO_SEE_ALL, {}),
	"Held Shifts": (ALL_WHO_SEE_ALL, {}),
	"Sync Statistics": (ALL_WHO_SEE_ALL, RANGE),
}
"""Who may open it, and what it must be asked."""


class TestReportsByRole(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		shift = premises.shift_type("Roles", "09:00:00", "17:00:00")
		cls.person = premises.employee(1, default_shift=shift)
		for hour, log_type in ((10, "IN"), (20, "OUT")):
			time = f"2026-03-02 {hour}:00:00"
			frappe.get_doc(
				doctype="Employee Checkin", employee=cls.person, time=time, log_type=log_type
			).insert()
		users = {role: premises.user(f"of-{frappe.scrub(role)}", role) for role in ROLES if role != "Guest"}
		for user in users.values():
			frappe.utils.password.update_password(user, PASSWORD)
		# ERPNext takes this role from a user who is no employee.
		frappe.db.set_value("Employee", cls.person, "user_id", users["Employee"])
		frappe.get_doc("User", users["Employee"]).add_roles("Employee")
		frappe.db.commit()
		server = SiteServer(workers=1)
		cls.addClassCleanup(server.stop)
		cls.callers = {role: Caller(server).log_in(user, PASSWORD) for role, user in users.items()}
		cls.callers["Guest"] = Caller(server)

	def test_who_may_open_which(self) -> None:
		named = frappe.get_all("Report", filters={"module": "Attendance Bridge"}, pluck="name")
		self.assertEqual(set(named), set(REPORTS))
		for report, (allowed, filters) in REPORTS.items():
			for role in ROLES:
				with self.subTest(report=report, role=role):
					answer = self.ask(role, "run", report, filters, ignore_prepared_report=1)
					self.assertEqual(answer.status_code, 200 if role in allowed else 403, answer.text[:300])
					if role in allowed:
						self.assertTrue(answer.json()["message"]["columns"])

	def test_who_may_open_it_may_export_it(self) -> None:
		for report, (allowed, filters) in REPORTS.items():
			for role in ROLES:
				with self.subTest(report=report, role=role):
					answer = self.ask(
						role, "export_query", report, filters, file_format_type="CSV", visible_idx="[]"
					)
					self.assertEqual(answer.status_code, 200 if role in allowed else 403, answer.text[:300])
					if role in allowed:
						self.assertIn(report, answer.headers["Content-Disposition"])

	def test_the_scripts_of_reports_are_whole(self) -> None:
		for report in REPORTS:
			with self.subTest(report=report):
				script = self.ask("HR Manager", "get_script", report, {}).json()["message"]["script"]
				self.assertNotIn("{%", script)
				self.assertIn(f'frappe.query_reports["{report}"]', script)

	def ask(self, role: str, method: str, report: str, filters: dict[str, str], **more: Any) -> Any:
		if report == "Punch Trail":
			filters = {**filters, "employee": self.person}
		return self.callers[role].get(
			f"/api/method/frappe.desk.query_report.{method}",
			report_name=report,
			filters=json.dumps(filters),
			applied_filters="{}",
			**more,
		)
