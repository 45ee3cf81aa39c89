"""Every endpoint of the app, called over HTTP by somebody of each role who has logged in with a password."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import frappe

from attendance_bridge.bench.anomalies import register
from attendance_bridge.bench.anomalies.finding import Finding
from attendance_bridge.bench.anomalies.register import Scope
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import endpoints, premises, terminals
from attendance_bridge.bench.tests.site_server import Caller, SiteServer

PASSWORD = "Lorem-ipsum-27-dolor"
MONDAY = datetime(2026, 3, 2, 8)

NOBODY: frozenset[str] = frozenset()
MANAGERS = frozenset({"System Manager"})
HR = frozenset({"HR Manager", "HR User"})
ALL_WHO_SEE_ALL = MANAGERS | HR
READERS = ALL_WHO_SEE_ALL | {"Employee"}

ROLES = ("System Manager", "HR Manager", "HR User", "Employee", "Sales User", "Guest")

_API = "attendance_bridge.api"
ALLOWED = {
	f"{_API}.agents.find_terminals": MANAGERS,
	f"{_API}.agents.found_terminals": ALL_WHO_SEE_ALL,
	f"{_API}.agents.make_api_key": MANAGERS,
	f"{_API}.agents.take_over_address": MANAGERS,
	**dict.fromkeys(
		(
			f"{_API}.anomalies.{act}"
			for act in ("add_punch", "dismiss", "judge_again", "reopen", "request_attendance", "resolve")
		),
		HR,
	),
	f"{_API}.devices.accept_new_terminal": MANAGERS,
	f"{_API}.devices.download_diagnostics": MANAGERS,
	f"{_API}.devices.fetch_checkins": MANAGERS,
	f"{_API}.devices.form_context": ALL_WHO_SEE_ALL,
	f"{_API}.devices.check_listener": MANAGERS,
	f"{_API}.devices.set_up_listener": MANAGERS,
	f"{_API}.devices.sync_clock": MANAGERS,
	f"{_API}.devices.test_connection": MANAGERS,
	f"{_API}.faces.erase": HR,
	f"{_API}.faces.withdraw": HR,
	f"{_API}.figures.attendance_by_day": ALL_WHO_SEE_ALL,
	f"{_API}.figures.checkins_by_hour": ALL_WHO_SEE_ALL,
	f"{_API}.figures.devices_online": ALL_WHO_SEE_ALL,
	f"{_API}.figures.overtime_by_department": ALL_WHO_SEE_ALL,
	f"{_API}.figures.punches_by_day": ALL_WHO_SEE_ALL,
	f"{_API}.figures.punches_today": ALL_WHO_SEE_ALL,
	f"{_API}.figures.shifts_held": ALL_WHO_SEE_ALL,
	f"{_API}.figures.unmapped_ids": ALL_WHO_SEE_ALL,
	f"{_API}.figures.why_held": HR | {"Employee"},
	f"{_API}.health.agent": ALL_WHO_SEE_ALL,
	f"{_API}.health.device": ALL_WHO_SEE_ALL,
	f"{_API}.live.board": READERS,
	f"{_API}.morning.board": ALL_WHO_SEE_ALL,
	f"{_API}.overtime.pay_again": frozenset({"HR Manager"}),
	f"{_API}.overtime.waiting": HR,
	f"{_API}.punches.approve_time": HR,
	f"{_API}.punches.dry_run": frozenset({"System Manager", "HR Manager"}),
	f"{_API}.punches.explanations": READERS,
	f"{_API}.punches.ignore": HR,
	f"{_API}.punches.ignore_id": HR,
	f"{_API}.punches.map_employee": HR,
	f"{_API}.punches.retime": HR,
	f"{_API}.punches.retime_device": HR,
	f"{_API}.punches.retry": HR,
	f"{_API}.punches.take_back": HR,
	f"{_API}.punches.undo_retiming": HR,
	f"{_API}.punches.unmapped_ids": ALL_WHO_SEE_ALL,
	f"{_API}.push.address": MANAGERS,
	f"{_API}.push.approve": MANAGERS,
	f"{_API}.push.close_pairing": MANAGERS,
	f"{_API}.push.commands": ALL_WHO_SEE_ALL,
	f"{_API}.push.make_token": MANAGERS,
	f"{_API}.push.open_pairing": MANAGERS,
	f"{_API}.push.pairing_suggestions": MANAGERS,
	f"{_API}.push.refuse": MANAGERS,
	f"{_API}.push.send_command": MANAGERS,
	f"{_API}.push.set_serial": MANAGERS,
	f"{_API}.workdays.count_again_affects": MANAGERS | {"HR Manager"},
	f"{_API}.workdays.count_again": MANAGERS | {"HR Manager"},
	f"{_API}.workdays.daily_summary": READERS,
	f"{_API}.workdays.find_groups": READERS,
	f"{_API}.workdays.find_people": READERS,
	f"{_API}.workdays.timesheet": READERS,
	**dict.fromkeys(endpoints.FOR_AGENTS, NOBODY),
}
"""Which of ROLES may call what. Whoever may read a Shift Type is told why it is held."""


class TestEndpointsByRole(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls._clear()
		cls.addClassCleanup(cls._clear)
		cls.users = {role: cls._user(role) for role in ROLES if role != "Guest"}
		cls.employee = premises.employee(1, device_user_id="abt1", user_id=cls.users["Employee"])
		cls.other = premises.employee(2, device_user_id="abt2")
		shift = premises.shift_type("served", "08:00:00", "17:00:00")
		cls.device = terminals.silent(1, shifts=[shift])
		punches = [terminals.punch(user_id, MONDAY) for user_id in ("abt1", "abt2")]
		PunchLog(cls.device).accept(terminals.page(*punches), terminals.serial(), None)
		for punch, employee in zip(punches, (cls.employee, cls.other), strict=True):
			frappe.db.set_value("Punch Log", str(punch.punch_id), "employee", employee)
		cls.own, cls.others = (str(punch.punch_id) for punch in punches)
		finding = Finding(employee=cls.other, date=MONDAY.date(), kind="Missing OUT", reason=())
		register.keep([finding], Scope(kinds=(finding.kind,), first=finding.date, last=finding.date))
		anomaly = frappe.get_value(register.DOCTYPE, {"employee": cls.other})
		cls.known: dict[str, Any] = {
			"anomaly": anomaly,
			"anomalies": [anomaly],
			"device": cls.device,
			"shift": shift,
			"employee": cls.other,
			"device_user_id": "abt2",
			"punches": [cls.others],
			"from_date": "2026-03-02",
			"to_date": "2026-03-01",  # the wrong way round: refused, but not for the permission
			"agent": "nobody",
		}
		frappe.db.commit()
		server = SiteServer()
		cls.addClassCleanup(server.stop)
		cls.callers = {role: Caller(server).log_in(user, PASSWORD) for role, user in cls.users.items()}
		cls.callers["Guest"] = Caller(server)

	@staticmethod
	def _user(role: str) -> str:
		return (
			frappe.get_doc(
				{
					"doctype": "User",
					"email": f"{premises.MARK}-{frappe.scrub(role)}@example.com".lower(),
					"first_name": role,
					"send_welcome_email": 0,
					"new_password": PASSWORD,
					"roles": [{"role": role}],
				}
			)
			.insert(ignore_permissions=True)
			.name
		)

	@staticmethod
	def _clear() -> None:
		premises.clear()
		for user in frappe.get_all(
			"User", {"email": ("like", f"{premises.MARK}-%@example.com")}, pluck="name"
		):
			frappe.delete_doc("User", user, force=True, ignore_permissions=True)
		frappe.db.commit()

	def test_every_endpoint_is_in_the_table(self) -> None:
		self.assertEqual(sorted(endpoints.all_functions()), sorted(ALLOWED))

	def test_who_may_call_what(self) -> None:
		for path, function in endpoints.all_functions().items():
			values = endpoints.arguments_of(function, self.known)
			for role, caller in self.callers.items():
				with self.subTest(endpoint=path, role=role):
					answer = (
						caller.post(path, **values)
						if endpoints.verb_of(function) == "POST"
						else (caller.get(f"/api/method/{path}", **values))
					)
					refused = answer.status_code == 403
					self.assertEqual(refused, role not in ALLOWED[path], answer.text[:300])

	def test_who_sees_which_punches(self) -> None:
		seen = {
			role: {row["name"] for row in answer.json()["data"]}
			for role, caller in self.callers.items()
			if (answer := self._list(caller, "Punch Log")).status_code == 200
		}
		everything = {self.own, self.others}
		self.assertEqual(
			seen,
			{
				**dict.fromkeys(("System Manager", "HR Manager", "HR User"), everything),
				"Employee": {self.own},
			},
		)
		employee = self.callers["Employee"]
		self.assertEqual(employee.get(f"/api/resource/Punch Log/{self.own}").status_code, 200)
		self.assertEqual(employee.get(f"/api/resource/Punch Log/{self.others}").status_code, 403)

	@staticmethod
	def _list(caller: Caller, doctype: str) -> Any:
		filters = f'[["device", "like", "{premises.MARK}%"]]'
		return caller.get(f"/api/resource/{doctype}", filters=filters, limit_page_length=0)

	def test_who_reads_and_writes_the_other_documents(self) -> None:
		own = f"/api/resource/Device Configuration/{self.device}"
		for role, caller in self.callers.items():
			with self.subTest(role=role):
				may_read, may_write = role in ALL_WHO_SEE_ALL, role in MANAGERS
				self.assertEqual(caller.get(own).status_code == 200, may_read)
				answer = caller.send("PUT", own, json={"poll_interval": 7})
				self.assertEqual(answer.status_code == 200, may_write, answer.text[:300])
				for doctype in ("Device Sync Log", "Unreadable Record"):
					self.assertEqual(self._list(caller, doctype).status_code == 200, may_read)

	def test_no_secret_leaves_with_a_document(self) -> None:
		name = terminals.hikvision(1, device_user_password="Nobody-Sees-This-1")
		frappe.db.commit()
		for role in sorted(ALL_WHO_SEE_ALL):
			answer = self.callers[role].get(f"/api/resource/Device Configuration/{name}")
			self.assertEqual(answer.status_code, 200)
			self.assertNotIn("Nobody-Sees-This-1", answer.text)
