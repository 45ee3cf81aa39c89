"""What the site learns of terminals that push, and what it tells them, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import frappe

from attendance_bridge.bench import (
	devices,
	moments,
	push_commands,
	push_watch,
)
from attendance_bridge.bench.push_desk import SiteDesk
from attendance_bridge.bench.tests import pushers, terminals
from attendance_bridge.bench.tests.iclock_case import IclockCase


class TestIclockContact(IclockCase):
	# two boxes, one serial number

	def test_two_terminals_with_one_serial_number_are_noticed(self) -> None:
		pushers.settings(push_enabled=1)
		pusher = self.pusher()
		for step in range(8):
			pusher.headers = {"X-Forwarded-For": f"192.0.2.{7 + step % 2}"}
			self.assertEqual(pusher.punch(("abt1", self.at - timedelta(minutes=step))).status_code, 200)
		frappe.db.rollback()
		state = frappe.get_doc("Device Configuration", pusher.device)
		self.assertEqual(state.push_trouble, "twin")
		self.assertIsNotNone(state.push_trouble_at)
		self.assertEqual(len(self.held()), 8)

	# commands

	def test_a_command_is_fetched_once_and_its_answer_is_kept(self) -> None:
		pusher = self.pusher()
		pusher.hello()
		name = push_commands.queue(pusher.device, "Reboot", "Administrator")
		self.assertEqual(push_commands.queue(pusher.device, "Reboot"), name)
		frappe.db.commit()
		poll = pusher.poll()
		self.assertEqual(poll.text, "C:1:REBOOT\n")
		self.assertEqual(pusher.poll().text, "OK")
		pusher.send("POST", "devicecmd", {}, b"ID=1&Return=0&CMD=REBOOT\nID=99&Return=0&CMD=REBOOT\n")
		frappe.db.rollback()
		done = frappe.get_doc("Push Command", name)
		self.assertEqual((done.state, done.return_code, done.attempts), ("Done", 0, 1))

	def test_a_command_that_is_never_answered_fails(self) -> None:
		pusher = self.pusher()
		pusher.hello()
		name = push_commands.queue(pusher.device, "Check")
		frappe.db.commit()
		for _attempt in range(push_commands.ATTEMPTS):
			self.assertEqual(pusher.poll().text, "C:1:CHECK\n")
			long_ago = moments.now() - push_commands.ANSWER_TIME - timedelta(seconds=1)
			frappe.db.rollback()
			frappe.db.set_value("Push Command", name, "sent_at", long_ago)
			frappe.db.commit()
		self.assertEqual(pusher.poll().text, "OK")
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("Push Command", name, "state"), "Failed")

	def test_only_commands_that_are_known_are_sent(self) -> None:
		pusher = self.pusher()
		pusher.hello()
		self.assertRaises(frappe.ValidationError, push_commands.queue, pusher.device, "Shell")
		name = push_commands.queue(pusher.device, "Info")
		frappe.db.set_value("Push Command", name, "text", "SHELL reboot")
		frappe.db.commit()
		self.assertEqual(pusher.poll().text, "OK")
		frappe.db.rollback()
		self.assertEqual(frappe.db.get_value("Push Command", name, "state"), "Failed")

	# what is kept of a terminal

	def test_where_it_resumes(self) -> None:
		pusher = self.pusher()
		pusher.punch(("abt1", self.at), stamp="812345678")
		self.assertIn("ATTLOGStamp=812345678", pusher.hello().text)

	def test_what_it_says_of_itself_and_how_much_it_holds(self) -> None:
		pusher = self.pusher()
		pusher.hello()
		pusher.punch(("abt1", self.at), ("abt2", self.at))
		pusher.send("GET", "getrequest", {"INFO": "Ver 8.0.4.3-2020,10,100,5,192.0.2.9,10,7,0,0,111"})
		frappe.db.rollback()
		state = frappe.get_doc("Device Configuration", pusher.device)
		self.assertEqual((state.count_there, state.count_here, state.gap), (5, 2, 0))
		self.assertIn("Ver 8.0.4.3", state.firmware)
		# What is missing is asked for once; what is missing after that is kept for people.
		poll = pusher.poll()
		self.assertIn("DATA QUERY ATTLOG StartTime=", poll.text)
		pusher.send("POST", "devicecmd", {}, b"ID=1&Return=0&CMD=DATA QUERY\n")
		long_ago = moments.now() - timedelta(hours=1)
		frappe.db.rollback()
		frappe.db.set_value("Device Configuration", pusher.device, "counted_at", long_ago)
		frappe.db.commit()
		pusher.send("GET", "getrequest", {"INFO": "Ver 8.0.4.3-2020,10,100,5,192.0.2.9,10,7,0,0,111"})
		frappe.db.rollback()
		state.reload()
		self.assertEqual(state.gap, 3)
		self.assertIsNotNone(state.gap_since)

	def test_it_is_vouched_for_once_it_has_called_for_a_while(self) -> None:
		pusher = self.pusher()
		pusher.hello()
		frappe.db.rollback()
		push_watch.vouch()
		state = frappe.get_doc("Device Configuration", pusher.device)
		self.assertIsNone(state.watermark)
		hour_ago = moments.now() - timedelta(hours=1)
		frappe.db.set_value("Device Configuration", pusher.device, "push_since", hour_ago)
		frappe.db.commit()
		pusher.poll()
		frappe.db.rollback()
		push_watch.vouch()
		frappe.db.commit()
		state.reload()
		self.assertLess(abs(state.watermark - (moments.now() - timedelta(minutes=15))), timedelta(minutes=2))
		# Something old shows that not all had come.
		pusher.punch(("abt1", self.at - timedelta(hours=2)))
		frappe.db.rollback()
		before = frappe.db.get_value("Device Configuration", pusher.device, "watermark")
		push_watch.vouch()
		self.assertEqual(frappe.db.get_value("Device Configuration", pusher.device, "watermark"), before)

	def test_what_breaks_off_is_not_taken_and_not_vouched_past(self) -> None:
		pusher = self.pusher()
		pusher.hello()
		frappe.db.rollback()
		self.assertIsNone(frappe.db.get_value("Device Configuration", pusher.device, "push_late_at"))

		pusher.break_off(("abt1", self.at), ("abt2", self.at))
		deadline = moments.utc_now() + timedelta(seconds=10)
		while moments.utc_now() < deadline:
			frappe.db.rollback()
			if frappe.db.get_value("Device Configuration", pusher.device, "push_late_at"):
				break
		else:
			self.fail("nobody has noticed that there is more")
		self.assertEqual(self.held(), [])

		self.assertEqual(pusher.punch(("abt1", self.at), ("abt2", self.at)).status_code, 200)
		self.assertEqual(len(self.held()), 2)

	def test_what_is_held_of_an_hour_is_found_in_order_of_its_arrival(self) -> None:
		pusher = self.pusher()
		hour = self.at - timedelta(hours=2)
		for minutes in (5, 3, 70, 4):
			pusher.punch(("abt1", hour + timedelta(minutes=minutes)))
		frappe.db.rollback()
		held = SiteDesk().held_between(pusher.serial, hour, hour + timedelta(hours=1))
		self.assertEqual([(punch.wall_time - hour).seconds // 60 for punch in held], [5, 3, 4])
		self.assertEqual(SiteDesk().held_between("ABTPUSH99", hour, hour + timedelta(hours=1)), [])

	def test_nobody_calls_it(self) -> None:
		pusher = self.pusher()
		self.assertIn("Send Again", devices.camera_words(pusher.device))
		self.assertIsNone(devices.camera_words(terminals.silent(1)))

	def test_it_is_not_read_by_the_site(self) -> None:
		pusher = self.pusher()
		self.assertNotIn(pusher.device, devices.due(moments.utc_now() + timedelta(days=1)))
