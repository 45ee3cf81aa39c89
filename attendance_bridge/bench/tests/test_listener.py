"""A simulated Hikvision terminal posts its events to the real site: set up, read back, tested, watched."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge.bench import jobs, listener, listener_setup, moments
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, pushers, terminals
from attendance_bridge.bench.tests.site_server import Caller, SiteServer
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal, delivery, verbs

EVENT = (
	b'{"eventType": "AccessControllerEvent", "dateTime": "%s", "AccessControllerEvent": {"majorEventType": 5,'
	b' "subEventType": 75, "serialNo": 7, "employeeNoString": "abt1", "currentEvent": true}}'
)


class TestListener(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		pushers.clear()
		cls.addClassCleanup(pushers.clear)
		cls.employee = premises.employee(1, device_user_id="abt1")
		frappe.db.commit()
		cls.server = SiteServer()
		cls.addClassCleanup(cls.server.stop)
		try:
			socket.gethostbyname(cls.server.site)
		except OSError:
			raise cls.skipTest(cls, f"{cls.server.site} has no address here") from None

	def setUp(self) -> None:
		pushers.clear_terminals()
		before = frappe.local.conf.host_name
		frappe.local.conf.host_name = f"http://{self.server.site}:{self.server.port}"
		self.addCleanup(frappe.local.conf.__setitem__, "host_name", before)
		# However busy the machine is, the terminal has the patience for an answer.
		patience = patch.object(delivery, "POST_SECONDS", 45)
		patience.start()
		self.addCleanup(patience.stop)
		self.state = HikvisionState(serial=f"{premises.MARK}HIK0003")
		verbs.enroll(self.state, "abt1")
		terminal = HikvisionTerminal(self.state)
		terminal.start()
		self.addCleanup(terminal.stop)
		self.device = terminals.hikvision(terminal.port, driver_options='{"timeout": 100}')
		frappe.db.commit()

	def _state(self, field: str) -> Any:
		frappe.db.rollback()
		return frappe.db.get_value("Device Configuration", self.device, field)

	def _held(self) -> list[Any]:
		frappe.db.rollback()
		return frappe.get_all("Punch Log", {"device": self.device}, ["road", "status", "employee"])

	def _post(self, token: str, body: bytes, content_type: str = "application/json") -> int:
		caller = Caller(self.server)
		headers = {"Content-Type": content_type}
		return caller.send("POST", listener.path_of(token), data=body, headers=headers).status_code

	def _token(self) -> str:
		token = "Lorem-ipsum-dolor-28"
		frappe.db.set_value(
			"Device Configuration",
			self.device,
			{
				"listener_hash": listener.digest_of(token),
				"listener_set_at": moments.now() - timedelta(days=1),
				"listener_state": listener.SET_UP,
				"serial_number": self.state.serial,
			},
		)
		frappe.db.commit()
		return token

	def test_a_punch_is_posted_and_becomes_one_check_in(self) -> None:
		answer = listener_setup.set_up(self.device)
		self.assertTrue(answer["is_good"], answer)
		self.assertIn(self._state("listener_state"), (listener.SET_UP, listener.DELIVERS))
		verbs.punch(self.state, "abt1")
		self.assertTrue(pushers.until(lambda: bool(self._held())))
		self.assertEqual([row.road for row in self._held()], ["Push"])
		self.assertTrue(pushers.until(lambda: self._state("listener_state") == listener.DELIVERS))
		self.assertIsNotNone(self._state("listener_arrival"))
		self.assertTrue(pushers.until(lambda: self._held()[0].status == "Checked in"))
		# The reading finds nothing that is not here.
		log = frappe.get_doc("Device Sync Log", jobs.pull_device(self.device, "Scheduler"))
		self.assertEqual((log.status, log.fetched, log.new), ("Complete", 1, 0))
		self.assertEqual(len(self._held()), 1)
		self.assertTrue(listener_setup.check(self.device)["is_good"])

	def test_firmware_that_forgets_the_path_is_said_so(self) -> None:
		verbs.set_fault(self.state, "hosts-drop-url")
		answer = listener_setup.set_up(self.device)
		self.assertFalse(answer["is_good"])
		self.assertIn("url", answer["words"])
		self.assertEqual(self._state("listener_state"), listener.NOT_KEPT)
		self.assertFalse(listener_setup.check(self.device)["is_good"])

	def test_firmware_that_never_delivers_is_found_out(self) -> None:
		verbs.set_fault(self.state, "hosts-never-deliver")
		self.assertTrue(listener_setup.set_up(self.device)["is_good"])
		listener.watch()
		self.assertEqual(self._state("listener_state"), listener.SET_UP)
		verbs.punch(self.state, "abt1")
		jobs.pull_device(self.device, "Scheduler")
		self.assertEqual([row.road for row in self._held()], ["Pull"])
		hour_ago = moments.now() - timedelta(hours=1)
		frappe.db.set_value("Device Configuration", self.device, "listener_set_at", hour_ago)
		punched = moments.to_utc(moments.utc_now() - timedelta(minutes=20))
		frappe.db.set_value("Punch Log", {"device": self.device}, "occurred_utc", punched)
		listener.watch()
		frappe.db.commit()
		self.assertEqual(self._state("listener_state"), listener.SILENT)
		self.assertFalse(listener_setup.check(self.device)["is_good"])

	def test_a_terminal_that_cannot_be_reached_keeps_what_it_had(self) -> None:
		token = self._token()
		frappe.db.set_value("Device Configuration", self.device, "port", 1)
		frappe.db.commit()
		self.assertFalse(listener_setup.set_up(self.device)["is_good"])
		self.assertEqual(self._state("listener_hash"), listener.digest_of(token))

	def test_posts_as_they_come(self) -> None:
		token = self._token()
		now = moments.utc_now().isoformat(timespec="seconds").encode()
		boundary = b"--x\r\nContent-Type: application/json\r\n\r\n" + EVENT % now + b"\r\n--x--\r\n"
		for body, content_type in (
			(EVENT % now, "application/json"),
			(EVENT % now, ""),
			(boundary, "multipart/form-data; boundary=x"),
			(boundary, "multipart/form-data"),
		):
			with self.subTest(content_type=content_type):
				self.assertEqual(self._post(token, body, content_type), 200)
		self.assertEqual(
			[(row.road, row.employee or "") for row in self._held()][:1], [("Push", self.employee)]
		)
		self.assertEqual(len(self._held()), 1)

	def test_who_has_no_token_posts_to_nobody(self) -> None:
		token = self._token()
		now = moments.utc_now().isoformat(timespec="seconds").encode()
		for wrong in ("Wrong-ipsum-dolor-28", "x", "", token[:-1], f"{token}/x"):
			self.assertEqual(self._post(wrong, EVENT % now), 404, wrong)
		self.assertEqual(self._post(token, b"no event", "text/plain"), 400)
		frappe.db.set_value("Device Configuration", self.device, "enabled", 0)
		frappe.db.commit()
		self.assertEqual(self._post(token, EVENT % now), 404)
		self.assertEqual(self._held(), [])
