"""Download Diagnostics: who gets it, what is in it, and what must not be."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import frappe

from attendance_bridge.api import devices as api
from attendance_bridge.bench import conversation, diagnostics
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.core.recording import Recording
from attendance_bridge.simulators import workforce
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal

COMM_KEY = 471133
SERIALS = ("TESTDIAGNOSTICS1", "TESTDIAGNOSTICS2")
NAME = "Zebediah Quillfeather"
USER_ID = "0090210"
CARD = 77_341_902


class TestDiagnostics(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		yesterday = (datetime.now(timezone.utc) - timedelta(days=1)).date()
		people = workforce.build(people=8, days=3, seed=3, last_day=yesterday)
		self.hikvision = HikvisionState.from_workforce(people, number=1, of=2, serial=SERIALS[0])
		self.zkteco = ZktecoState.from_workforce(
			people, number=2, of=2, serial=SERIALS[1], comm_key=COMM_KEY, log_layout=8
		)
		self.zkteco.add_user(USER_ID, name=NAME, card=CARD)

	def tearDown(self) -> None:
		frappe.set_user("Administrator")

	def _hikvision(self, password: str = PASSWORD) -> str:
		port = self._started(HikvisionTerminal(self.hikvision)).port
		return terminals.hikvision(port, device_user_password=password)

	def _zkteco(self) -> str:
		port = self._started(ZktecoTerminal(self.zkteco)).port
		return terminals.zkteco(port, device_user_password=str(COMM_KEY))

	def _started(self, terminal: Any) -> Any:
		terminal.start()
		self.addCleanup(terminal.stop)
		return terminal

	def _assert_tells_nothing(self, recording: Recording) -> None:
		packets = [bytes.fromhex(exchange.get("hex", "")) for exchange in recording.exchanges]
		shown = recording.to_text() + "".join(packet.decode("latin-1") for packet in packets)
		users = [*self.hikvision.people.values(), *self.zkteco.users()]
		secrets = {PASSWORD, USER, str(COMM_KEY), "127.0.0.1", *SERIALS, NAME, USER_ID, str(CARD)}
		secrets |= {user.name for user in users if user.name}
		for secret in secrets:
			self.assertNotIn(secret, shown)
		self.assertNotIn(CARD.to_bytes(4, "little"), b"".join(packets))

	def test_a_conversation_is_told_without_persons_and_secrets(self) -> None:
		for name, driver in ((self._hikvision(), "hikvision_isapi"), (self._zkteco(), "zkteco_tcp")):
			recording = diagnostics.record(name)
			self.assertEqual(recording.driver, driver)
			steps = {step["ask"]: step for step in recording.expected}
			self.assertFalse([step for step in steps.values() if "error" in step])
			self.assertTrue(steps["fetch"]["answer"][0]["punches"])
			self._assert_tells_nothing(recording)

	def test_it_is_bounded(self) -> None:
		recording = diagnostics.record(self._hikvision())
		pages = [exchange for exchange in recording.exchanges if exchange["path"].endswith("/AcsEvent")]
		self.assertLessEqual(len(pages), 2 * 2 * recording.limits.pages)  # each asked twice: Digest
		steps = {step["ask"]: step for step in recording.expected}
		for ask in ("fetch", "fetch_window"):
			self.assertLessEqual(len(steps[ask]["answer"]), recording.limits.pages)

	def test_a_terminal_is_left_as_it_was(self) -> None:
		diagnostics.record(self._zkteco())
		self.assertTrue(self.zkteco.enabled)
		self.assertEqual(self.zkteco.counters["disable_device"], 0)
		self.assertEqual(frappe.db.count("Punch Log", {"device": ("like", f"{premises.MARK}%")}), 0)

	def test_a_failure_is_in_the_file_and_a_password_is_sent_once(self) -> None:
		name = self._hikvision("Wrong-Password-1")
		recording = diagnostics.record(name)
		self.assertEqual(recording.expected[-1]["error"]["code"], "auth_failed")
		self.assertNotIn("Wrong-Password-1", recording.to_text())
		with self.assertRaises(frappe.ValidationError):  # it is left alone now
			diagnostics.record(name)
		self.assertEqual(self.hikvision.counters.wrong_passwords, 1)

	def test_nobody_there(self) -> None:
		terminal = self._started(ZktecoTerminal(self.zkteco))
		name = terminals.zkteco(terminal.port, device_user_password=str(COMM_KEY))
		terminal.stop()
		recording = diagnostics.record(name)
		self.assertEqual(recording.expected[-1]["error"]["code"], "unreachable")
		self.assertEqual(frappe.db.get_value("Device Configuration", name, "last_error_code"), "unreachable")

	def test_a_conversation_is_not_disturbed(self) -> None:
		name = self._hikvision()
		# The lock is the connection's: another connection has to hold it.
		here = frappe.db
		other = frappe.database.get_db(
			socket=here.socket, host=here.host, port=here.port, user=here.user, password=here.password
		)
		other.sql("SELECT GET_LOCK(%s, 0)", conversation._lock(name))
		self.addCleanup(other.close)
		with self.assertRaises(frappe.ValidationError):
			diagnostics.record(name)

	def test_it_comes_as_a_file(self) -> None:
		name = self._zkteco()
		api.download_diagnostics(name)
		self.addCleanup(frappe.response.clear)
		self.assertEqual(frappe.response["type"], "download")
		self.assertRegex(frappe.response["filename"], r"^zkteco_tcp_SIM-4370_[\w.-]+\.json$")
		self.assertTrue(Recording.from_text(frappe.response["filecontent"]).exchanges)

	def test_only_who_may_configure_gets_it(self) -> None:
		name = self._zkteco()
		for role in ("HR User", "HR Manager", "Employee"):
			frappe.set_user(_user(role))
			with self.assertRaises(frappe.PermissionError):
				api.download_diagnostics(name)
		self.assertEqual(self.zkteco.counters["connections"], 0)


def _user(role: str) -> str:
	frappe.set_user("Administrator")
	email = f"{frappe.scrub(role)}.diagnostics@example.com"
	if not frappe.db.exists("User", email):
		user = frappe.get_doc(
			{"doctype": "User", "email": email, "first_name": role, "send_welcome_email": 0, "enabled": 1}
		)
		user.append("roles", {"role": role})
		user.insert(ignore_permissions=True)
	return email
