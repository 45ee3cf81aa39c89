"""Faces over HTTP: agents with real keys, people with passwords; and that nobody else gets to see a face."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import unittest
from shutil import which
from typing import Any

import frappe

from attendance_bridge.bench import agents, vault
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import agents_at_work, faces_at_work, premises
from attendance_bridge.bench.tests.faces_at_work import MODEL, consent, template, vector
from attendance_bridge.bench.tests.site_server import Caller, SiteServer

EDGE = "attendance_bridge.api.edge"
FACES = "attendance_bridge.api.faces"
PASSWORD = "Lorem-ipsum-27-dolor"
ROLES = ("System Manager", "HR Manager", "HR User", "Employee", "Sales User")


class TestFacesOverHttp(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls._clear()
		cls.addClassCleanup(cls._clear)
		cls.users = {role: cls._user(role) for role in ROLES}
		names = {1: cls.users["Employee"], 2: None}
		cls.anna, cls.ben = (premises.employee(number, user_id=user) for number, user in names.items())
		keys = [agents.make_api_key(agents_at_work.agent(number).name) for number in (1, 2)]
		frappe.db.commit()
		server = SiteServer()
		cls.addClassCleanup(server.stop)
		cls.gate, cls.hall = (Caller(server, key) for key in keys)
		cls.callers = {role: Caller(server).log_in(user, PASSWORD) for role, user in cls.users.items()}
		cls.callers["Administrator"] = Caller(server).log_in("Administrator", "admin")
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
		faces_at_work.clear()
		agents_at_work.clear()
		premises.clear()
		for user in frappe.get_all(
			"User", {"email": ("like", f"{premises.MARK}-%@example.com")}, pluck="name"
		):
			frappe.delete_doc("User", user, force=True, ignore_permissions=True)
		frappe.db.commit()

	def setUp(self) -> None:
		faces_at_work.clear()
		self.sent = [template(1, self.anna), template(2, self.ben)]
		given = [consent(self.anna), consent(self.ben)]
		answer = self._told(self.gate, "templates", templates=self.sent, consents=given)
		self.assertEqual([receipt["outcome"] for receipt in answer["receipts"]], ["accepted", "accepted"])
		frappe.db.rollback()

	def _told(self, caller: Caller, method: str, **values: Any) -> Any:
		answer = caller.post(f"{EDGE}.{method}", **values)
		self.assertEqual(answer.status_code, 200, answer.text[:2000])
		return answer.json()["message"]

	def _traces(self) -> list[str]:
		"""What a vector would look like, were it somewhere."""
		return [base64.b64encode(vector(seed)).decode()[:24] for seed in (1, 2)]

	def test_from_one_agent_to_the_other_and_erased_everywhere(self) -> None:
		page = self._told(self.hall, "faces", models=[MODEL])
		faces = {person["employee"]: person["templates"] for person in page["people"]}
		self.assertEqual(faces, {self.anna: [self.sent[0]], self.ben: [self.sent[1]]})
		act = {"employee": self.anna, "at": page["people"][0]["consent"]["given_at"], "by": ""}
		act["at"] = faces_at_work.spoken(faces_at_work.GIVEN.replace(year=2030))
		told = self._told(self.hall, "erasures", withdrawals=[act])
		self.assertEqual(told, {"withdrawn": 1, "requested": 0, "confirmed": 0})
		for caller in (self.gate, self.hall):
			page = self._told(caller, "faces", models=[MODEL])
			faces = {person["employee"]: person["templates"] for person in page["people"]}
			self.assertEqual(faces, {self.anna: [], self.ben: [self.sent[1]]})
			(order,) = page["erasures"]
			confirmed = [{"erasure": order["erasure"], "at": order["at"], "templates": 1}]
			self.assertEqual(self._told(caller, "erasures", confirmed=confirmed)["confirmed"], 1)

	def test_no_face_by_the_rest_api_for_anybody(self) -> None:
		name = self.sent[0]["template_id"]
		reads = (
			(f"/api/resource/Face Template/{name}", {}),
			("/api/resource/Face Template", {"fields": '["*"]', "limit_page_length": 0}),
			("/api/resource/Face Template", {"fields": '["name","sealed","vector"]'}),
			("/api/method/frappe.client.get", {"doctype": "Face Template", "name": name}),
			("/api/method/frappe.client.get_list", {"doctype": vault.TABLE, "fields": '["*"]'}),
			("/api/method/frappe.client.get_value", {"doctype": vault.TABLE, "fieldname": "sealed"}),
			(
				"/api/method/frappe.client.get_password",
				{"doctype": "Face Template", "name": name, "fieldname": "vector"},
			),
			("/api/method/frappe.desk.form.load.getdoc", {"doctype": "Face Template", "name": name}),
			(
				"/api/method/frappe.desk.reportview.get",
				{"doctype": "Face Template", "fields": '["`tabFace Template`.*"]'},
			),
			(
				"/api/method/frappe.desk.reportview.export_query",
				{
					"doctype": "Face Template",
					"fields": '["`tabFace Template`.`name`"]',
					"file_format_type": "CSV",
				},
			),
			(f"/api/v2/document/Face Template/{name}", {}),
			(f"/printview?doctype=Face Template&name={name}", {}),
		)
		sealed = frappe.db.sql(f"SELECT `sealed` FROM `{vault.TABLE}` WHERE `name` = %s", name)[0][0]
		traces = [*self._traces(), base64.b64encode(bytes(sealed)).decode()[:24], bytes(sealed)[:12].hex()]
		for role, caller in self.callers.items():
			for path, values in reads:
				with self.subTest(role=role, path=path):
					answer = caller.get(path, **values)
					self.assertFalse([trace for trace in traces if trace in answer.text])
					self.assertNotIn('"sealed"', answer.text)
					self.assertNotIn('"vector"', answer.text)
		told = self.hall.post(f"{EDGE}.faces", models=[MODEL]).text
		self.assertTrue(all(trace in told for trace in self._traces()), "that is how one would look")
		row = self.callers["HR User"].get(reads[0][0]).json()["data"]
		self.assertEqual((row["employee"], row["model"]), (self.anna, MODEL))

	def test_who_sees_what_and_nobody_writes(self) -> None:
		self._told(
			self.gate,
			"erasures",
			requests=[{"employee": self.ben, "at": consent("", days=9000)["given_at"], "by": ""}],
		)
		frappe.db.rollback()
		names = {
			"Face Template": self.sent[0]["template_id"],
			"Face Consent": frappe.db.get_value("Face Consent", {"employee": self.anna}),
			"Biometric Erasure": frappe.db.get_value("Biometric Erasure", {"employee": self.ben}),
		}
		others = frappe.db.get_value("Face Consent", {"employee": self.ben})
		see_all = {"System Manager", "HR Manager", "HR User", "Administrator"}
		for role, caller in self.callers.items():
			for doctype, name in names.items():
				with self.subTest(role=role, doctype=doctype):
					may = role in see_all or (role == "Employee" and doctype == "Face Consent")
					path = f"/api/resource/{doctype}/{name}"
					self.assertEqual(caller.get(path).status_code == 200, may)
					self.assertNotEqual(
						caller.send("PUT", path, json={"employee": self.ben}).status_code, 200
					)
					self.assertNotIn(caller.send("DELETE", path).status_code, (200, 202))
					fresh = {"employee": self.ben, "text_version": "1"}
					answer = caller.send("POST", f"/api/resource/{doctype}", json=fresh)
					self.assertNotEqual(answer.status_code, 200)
		employee = self.callers["Employee"]
		self.assertEqual(employee.get(f"/api/resource/Face Consent/{others}").status_code, 403)
		listed = employee.get("/api/resource/Face Consent", limit_page_length=0).json()["data"]
		self.assertEqual([row["name"] for row in listed], [names["Face Consent"]])

	def test_people_withdraw_their_own(self) -> None:
		employee = self.callers["Employee"]
		self.assertEqual(employee.post(f"{FACES}.withdraw", employee=self.ben).status_code, 403)
		self.assertEqual(employee.post(f"{FACES}.erase", employee=self.anna).status_code, 403)
		self.assertEqual(employee.post(f"{FACES}.withdraw", employee=self.anna).status_code, 200)
		frappe.db.rollback()
		self.assertFalse(frappe.db.exists("Face Template", {"employee": self.anna}))
		self.assertTrue(frappe.db.exists("Face Template", {"employee": self.ben}))
		record = frappe.get_doc("Biometric Erasure", {"employee": self.anna})
		self.assertEqual((record.reason, record.erased_by), ("Withdrawn", self.users["Employee"]))
		self.assertEqual(
			self.callers["HR User"].post(f"{FACES}.withdraw", employee=self.ben).status_code, 200
		)
		frappe.db.rollback()
		self.assertFalse(frappe.db.exists("Face Template", {"employee": self.ben}))

	def test_a_broken_body_is_answered_as_such(self) -> None:
		for method, values in (
			("templates", {"templates": 5}),
			("templates", {"consents": [{}]}),
			("faces", {"models": "x"}),
			("faces", {"token": 5}),
			("erasures", {"withdrawals": [{"employee": self.anna}]}),
			("erasures", {"confirmed": ["x"]}),
		):
			with self.subTest(method=method, values=values):
				self.assertEqual(self.gate.post(f"{EDGE}.{method}", **values).status_code, 417)

	def test_no_face_in_a_dump_of_the_database(self) -> None:
		if which("mysqldump") is None:
			raise unittest.SkipTest("mysqldump is not installed")
		conf = frappe.conf
		dump = subprocess.run(
			[
				*("mysqldump", "--single-transaction", "--skip-lock-tables", "--hex-blob"),
				*("-h", conf.db_host or "127.0.0.1", "-P", str(conf.db_port or 3306)),
				*("-u", conf.db_name, conf.db_name),
			],
			env={**os.environ, "MYSQL_PWD": conf.db_password},
			capture_output=True,
			check=True,
		).stdout
		self.assertIn(self.sent[0]["template_id"].encode(), dump)
		self.assertIn(vault.TABLE.encode(), dump)
		for seed in (1, 2):
			plain = vector(seed)
			for form in (plain[:16], plain[:16].hex().encode(), base64.b64encode(plain)[:20]):
				self.assertNotIn(form, dump)
				self.assertNotIn(form.upper(), dump)
		self.assertNotIn(json.dumps(self.sent[0]["vector"]).encode()[:30], dump)

	def test_what_is_erased_leaves_no_copy(self) -> None:
		name = self.sent[0]["template_id"]
		(sealed,) = frappe.db.sql(f"SELECT `sealed` FROM `{vault.TABLE}` WHERE `name` = %s", name)[0]
		self.assertEqual(
			self.callers["HR User"].post(f"{FACES}.withdraw", employee=self.anna).status_code, 200
		)
		frappe.db.rollback()
		left = frappe.db.sql(f"SELECT COUNT(*) FROM `{vault.TABLE}` WHERE `name` = %s", name)[0][0]
		self.assertEqual(left, 0)
		kept = frappe.db.sql("SELECT COUNT(*) FROM `tabDeleted Document` WHERE `deleted_name` = %s", name)
		self.assertEqual(kept[0][0], 0)
		self.assertNotIn(
			bytes(sealed), [bytes(row[0]) for row in frappe.db.sql(f"SELECT `sealed` FROM `{vault.TABLE}`")]
		)
