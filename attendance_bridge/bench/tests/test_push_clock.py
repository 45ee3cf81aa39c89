"""Clocks of terminals that push to the site: measured by what they send, judged, corrected, and restarted."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import Any

import frappe

from attendance_bridge.bench import (
	alerts,
	deciding,
	devices,
	jobs,
	moments,
	push_clock,
	push_commands,
	push_watch,
)
from attendance_bridge.bench.push_desk import SiteDesk
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, pushers, terminals
from attendance_bridge.drivers.zkteco_adms.commands import encode_time
from attendance_bridge.drivers.zkteco_adms.receiver import Receiver
from attendance_bridge.drivers.zkteco_adms.wire import Request

DEVICE = "Device Configuration"
HOUR = timedelta(hours=1)


class TestPushClock(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		pushers.clear()
		cls.addClassCleanup(pushers.clear)
		premises.employee(1, device_user_id="abt1")
		frappe.db.commit()

	def setUp(self) -> None:
		pushers.clear_terminals()
		pushers.settings(push_enabled=1, correct_clocks=0, push_restart=1)
		self.device = pushers.terminal(1)
		self.serial = pushers.serial(1)
		self.receiver = Receiver(SiteDesk(), now=moments.utc_now)

	def call(self, method: str, target: str, body: str = "") -> str:
		path, _mark, query = target.partition("?")
		query = f"SN={self.serial}&{query}"
		request = Request(method=method, path=f"/iclock/{path}", query=query, body=body.encode())
		reply = self.receiver.answer(request, "192.0.2.1")
		self.assertEqual(reply.status, 200)
		return reply.body.decode()

	def settled(self, *, ahead: timedelta) -> None:
		"""It has called for an hour, and four punches have come in four of the last minutes."""
		self.call("GET", "getrequest")
		minute = int(time.time()) // 60
		lag = -round(ahead.total_seconds())
		lags = [[minute - step, lag + 2] for step in (8, 6, 4, 2)]
		values = {"push_since": moments.now() - HOUR, "push_clock": json.dumps([lags, 0, 0])}
		frappe.db.set_value(DEVICE, self.device, values, update_modified=False)
		frappe.db.commit()

	def punch(self, *, ahead: timedelta) -> None:
		wall = (moments.utc_now() + ahead).astimezone(terminals.ZONE)
		self.call("POST", "cdata?table=ATTLOG&Stamp=1", f"abt1\t{wall:%Y-%m-%d %H:%M:%S}\t0\t1")

	def show(self, *, ahead: timedelta) -> None:
		wall = (moments.utc_now() + ahead).astimezone(terminals.ZONE)
		self.call("POST", "cdata?table=rtstate", f"time={wall:%Y-%m-%d %H:%M:%S}\tsensor=00")

	def state(self) -> Any:
		frappe.db.rollback()
		return frappe.get_doc(DEVICE, self.device)

	def commands(self) -> list[str]:
		frappe.db.rollback()
		return frappe.get_all("Push Command", {"device": self.device}, pluck="command", order_by="creation")

	def status(self) -> str:
		deciding.settle_received()
		return str(frappe.db.get_value("Punch Log", {"device_serial": self.serial}, "status"))

	def test_a_slow_clock_is_found_out_quarantined_alerted_and_not_vouched_for(self) -> None:
		self.settled(ahead=-HOUR)
		self.punch(ahead=-HOUR)
		state = self.state()
		self.assertAlmostEqual(state.clock_offset, -3600, delta=5)
		self.assertEqual(self.status(), "Quarantined")
		later = moments.utc_now()
		for _look in range(3):
			alerts.look(later)
			later += timedelta(minutes=30)
		self.assertTrue(frappe.db.exists("Attendance Bridge Alert", {"open_key": f"clock_off:{self.device}"}))
		frappe.db.set_value(DEVICE, self.device, {"push_late_at": None, "push_since": moments.now() - HOUR})
		frappe.db.commit()
		push_watch.vouch()
		self.assertIsNone(self.state().watermark)
		frappe.db.set_value(DEVICE, self.device, "clock_offset", 0)
		push_watch.vouch()
		self.assertIsNotNone(self.state().watermark)

	def test_a_right_clock_is_known_to_be(self) -> None:
		self.settled(ahead=timedelta(0))
		self.punch(ahead=timedelta(0))
		state = self.state()
		self.assertLess(abs(state.clock_offset), 5)
		self.assertIsNotNone(state.clock_good_until)
		self.assertEqual(self.status(), "Checked in")

	def test_four_punches_are_no_measure_and_what_comes_after_a_break_is_none(self) -> None:
		self.call("GET", "getrequest")
		self.punch(ahead=-HOUR)
		self.settled(ahead=-HOUR)
		frappe.db.set_value(DEVICE, self.device, "last_contact", moments.now() - timedelta(minutes=6))
		frappe.db.commit()
		self.punch(ahead=-HOUR)
		self.assertEqual(self.state().clock_offset, 0)

	def test_a_punch_of_the_future_holds_the_watermark_back(self) -> None:
		self.call("GET", "getrequest")
		self.punch(ahead=HOUR)
		self.assertIsNotNone(self.state().push_late_at)

	def test_an_access_terminal_shows_its_clock_and_its_punches_are_judged_by_it(self) -> None:
		self.show(ahead=-HOUR)
		self.assertAlmostEqual(self.state().clock_offset, -3600, delta=5)
		self.punch(ahead=-HOUR)
		self.assertEqual(self.status(), "Quarantined")

	def test_an_access_terminal_is_set_right_where_that_is_allowed(self) -> None:
		pushers.settings(push_enabled=1, correct_clocks=1)
		self.show(ahead=-HOUR)
		self.assertEqual(self.commands(), ["Set Clock"])
		# What it is set to is the time of the sending.
		frappe.db.set_value(
			"Push Command", {"device": self.device}, "text", "SET OPTIONS DateTime=1", update_modified=False
		)
		frappe.db.commit()
		sent = self.call("GET", "getrequest")
		wall = moments.utc_now().astimezone(terminals.ZONE)
		self.assertLess(abs(int(sent.strip().rpartition("=")[2]) - encode_time(wall)), 5)
		self.call("POST", "devicecmd", "ID=1&Return=0&CMD=SET OPTIONS")
		records = frappe.get_all(
			"Device Clock Log", {"device": self.device, "kind": "Corrected"}, ["clock_offset"]
		)
		self.assertAlmostEqual(records[0].clock_offset, -3600, delta=5)
		self.show(ahead=-HOUR + timedelta(minutes=2))
		self.assertEqual(self.commands(), ["Set Clock"], "not all day long")
		self.show(ahead=timedelta(0))
		self.assertLess(abs(self.state().clock_offset), 5)

	def test_one_that_is_too_far_off_is_left_to_a_person(self) -> None:
		pushers.settings(push_enabled=1, correct_clocks=1)
		self.show(ahead=-5 * HOUR)
		self.assertEqual(self.commands(), [])
		self.assertTrue(
			frappe.db.exists("Device Clock Log", {"device": self.device, "kind": "Not Corrected"})
		)

	def test_the_other_dialect_is_restarted_once(self) -> None:
		pushers.settings(push_enabled=1, correct_clocks=1)
		self.settled(ahead=-HOUR)
		self.punch(ahead=-HOUR)
		self.punch(ahead=-HOUR)
		self.assertEqual(self.commands(), ["Reboot"])

	def test_one_that_is_read_as_well_is_set_by_whoever_reads_it(self) -> None:
		pushers.settings(push_enabled=1, correct_clocks=1)
		frappe.db.set_value(DEVICE, self.device, "road", "Direct", update_modified=False)
		frappe.db.commit()
		self.show(ahead=-HOUR)
		self.assertAlmostEqual(self.state().clock_offset, -3600, delta=5)
		self.assertEqual(self.commands(), [])

	def test_after_a_change_of_clocks_it_is_restarted_once(self) -> None:
		self.call("GET", "cdata?options=all&pushver=2.4.1")
		push_clock.restart_stale()
		self.assertEqual(self.commands(), [])
		frappe.db.set_value(DEVICE, self.device, "push_offset_minutes", 0)
		frappe.db.commit()
		pushers.settings(push_enabled=1, push_restart=0)
		push_clock.restart_stale()
		self.assertEqual(self.commands(), [], "nobody wants it")
		pushers.settings(push_enabled=1, push_restart=1)
		push_clock.restart_stale()
		push_clock.restart_stale()
		self.assertEqual(self.commands(), ["Reboot"])
		self.assertEqual(self.call("GET", "getrequest"), "C:1:REBOOT\n")
		# It starts without an answer: its handshake is one.
		self.assertIn("TimeZone=4\n", self.call("GET", "cdata?options=all&pushver=2.4.1"))
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("Push Command", {"device": self.device}, "state"), "Done")
		push_clock.restart_stale()
		self.assertEqual(self.commands(), ["Reboot"])

	def test_who_was_never_told_an_offset_is_not_restarted(self) -> None:
		self.call("GET", "getrequest")
		frappe.db.set_value(DEVICE, self.device, "push_dialect", "attendance")
		push_clock.restart_stale()
		self.assertEqual(self.commands(), [])

	def test_another_zone_or_another_terminal_forgets_what_was_measured(self) -> None:
		self.settled(ahead=-HOUR)
		document = frappe.get_doc(DEVICE, self.device)
		document.time_zone = "Asia/Kolkata"
		document.save()
		frappe.db.commit()
		self.assertFalse(self.state().push_clock)
		self.settled(ahead=-HOUR)
		devices.forget_terminal(self.device)
		frappe.db.commit()
		self.assertFalse(self.state().push_clock)

	def test_a_command_that_was_sent_is_not_sent_again_days_later(self) -> None:
		self.call("GET", "cdata?options=all&pushver=2.4.1")
		name = push_commands.queue(self.device, "Reboot")
		self.assertEqual(self.call("GET", "getrequest"), "C:1:REBOOT\n")
		long_ago = moments.now() - timedelta(days=3)
		frappe.db.sql(
			"UPDATE `tabPush Command` SET `creation` = %s, `sent_at` = %s WHERE `name` = %s",
			(long_ago, long_ago, name),
		)
		frappe.db.commit()
		self.assertEqual(self.call("GET", "getrequest"), "OK")
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("Push Command", name, "state"), "Expired")

	def test_an_answer_that_comes_late_counts(self) -> None:
		self.call("GET", "getrequest")
		name = push_commands.queue(self.device, "Check")
		self.call("GET", "getrequest")
		frappe.db.set_value("Push Command", name, {"state": "Failed", "answered_at": None})
		frappe.db.commit()
		self.call("POST", "devicecmd", "ID=1&Return=0&CMD=CHECK")
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("Push Command", name, "state"), "Done")

	def test_commands_that_ended_long_ago_are_forgotten(self) -> None:
		name = push_commands.queue(self.device, "Info")
		frappe.db.sql(
			"UPDATE `tabPush Command` SET `creation` = %s, `state` = 'Done' WHERE `name` = %s",
			(moments.now() - timedelta(days=91), name),
		)
		jobs.clean_up()
		self.assertFalse(frappe.db.exists("Push Command", name))
