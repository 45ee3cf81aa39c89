"""Test Connection and Sync Clock with terminals that speak their protocols; the request of Fetch Check-in."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone

import frappe

from attendance_bridge.bench import contact, conversation, fetch_request, jobs
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.simulators import workforce
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from attendance_bridge.simulators.zkteco.verbs import jump_clock

PASSWORD = "Simulated-1"


class TestContact(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		yesterday = (datetime.now(timezone.utc) - timedelta(days=1)).date()
		people = workforce.build(people=4, days=1, seed=3, last_day=yesterday)
		self.hikvision_state = HikvisionState.from_workforce(
			people, number=1, of=2, serial="TEST-CONTACT-1", password=PASSWORD
		)
		self.zkteco_state = ZktecoState.from_workforce(people, number=2, of=2, serial="TESTCONTACT2")
		self.hikvision = self._started(HikvisionTerminal(self.hikvision_state))
		self.zkteco = self._started(ZktecoTerminal(self.zkteco_state))

	def _started(self, terminal):
		terminal.start()
		self.addCleanup(terminal.stop)
		return terminal

	def _hikvision(self, password: str = PASSWORD) -> str:
		return terminals.hikvision(self.hikvision.port, device_user="admin", device_user_password=password)

	def _zkteco(self) -> str:
		return terminals.zkteco(self.zkteco.port)

	def test_a_terminal_says_who_it_is_and_is_remembered(self) -> None:
		for name in (self._hikvision(), self._zkteco()):
			answer = contact.look(name)
			self.assertNotIn("error", answer)
			self.assertTrue(answer["clock_is_right"])
			self.assertEqual(
				frappe.db.get_value("Device Configuration", name, "serial_number"), answer["serial"]
			)

	def test_a_wrong_password_is_sent_once(self) -> None:
		name = self._hikvision("Wrong-Password-1")
		self.assertEqual(contact.look(name)["code"], "auth_failed")
		self.assertEqual(contact.look(name)["code"], "auth_failed")
		self.assertEqual(self.hikvision_state.counters.wrong_passwords, 1)

	def test_a_corrected_password_is_tried_at_once(self) -> None:
		name = self._hikvision("Wrong-Password-1")
		contact.look(name)
		device = frappe.get_doc("Device Configuration", name)
		device.device_user_password = PASSWORD
		device.save()
		self.assertNotIn("error", contact.look(name))

	def test_nobody_there(self) -> None:
		name = self._zkteco()
		self.zkteco.stop()
		self.assertEqual(contact.look(name)["code"], "unreachable")

	def test_a_clock_is_set_right(self) -> None:
		name = self._zkteco()
		jump_clock(self.zkteco_state, timedelta(minutes=17))
		self.assertFalse(contact.look(name)["clock_is_right"])
		self.assertTrue(contact.set_clock(name)["clock_is_right"])

	def test_a_terminal_that_is_being_read_is_left_alone(self) -> None:
		name = self._zkteco()
		frappe.db.commit()
		site, holds, end = frappe.local.site, threading.Event(), threading.Event()

		def hold() -> None:
			frappe.init(site=site)
			frappe.connect()
			reading = conversation.alone_with(name)
			reading.__enter__()
			holds.set()
			end.wait(20)
			# Without leaving it: the connection ends, as that of a killed job does.
			frappe.db.close()

		other = threading.Thread(target=hold)
		other.start()
		try:
			self.assertTrue(holds.wait(20))
			self.assertEqual(contact.look(name)["code"], "busy")
			log = frappe.get_doc("Device Sync Log", jobs.pull_device(name, "Scheduler"))
			self.assertEqual((log.status, log.error_code), ("Failed", "busy"))
			self.assertEqual(frappe.db.get_value("Device Configuration", name, "failures"), 0)
		finally:
			end.set()
			other.join(20)
		self.assertNotIn("error", contact.look(name))

	def test_a_range_of_dates_includes_both(self) -> None:
		self.assertEqual(
			fetch_request.window("2026-03-01", "2026-03-02"), (datetime(2026, 3, 1), datetime(2026, 3, 3))
		)
		self.assertIsNone(fetch_request.window(None, ""))
		for first, last in (("2026-03-02", "2026-03-01"), ("2026-03-01", None), ("2024-01-01", "2026-01-01")):
			self.assertRaises(frappe.ValidationError, fetch_request.window, first, last)
