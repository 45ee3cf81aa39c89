"""Clocks of terminals that are wrong, are set, and jump: what becomes of the punches, on the real site."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.api import punches as api
from attendance_bridge.bench import contact, gaps, jobs, moments, retiming, reviewing
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.core.driver import Window
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from attendance_bridge.simulators.zkteco.verbs import add_user, jump_clock, punch_now

WORKER = "92001"
HALF_AN_HOUR = timedelta(minutes=30)
SETTINGS = "Attendance Bridge Settings"


class TestClockGuard(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		self.addCleanup(frappe.set_user, "Administrator")
		self.addCleanup(self.allow, correct_clocks=0, largest_correction=90)
		self.employee = premises.employee(921, device_user_id=WORKER)
		self.state = ZktecoState(serial=f"{premises.MARK}CLOCK1")
		add_user(self.state, WORKER)
		terminal = ZktecoTerminal(self.state)
		terminal.start()
		self.addCleanup(terminal.stop)
		self.device = terminals.zkteco(terminal.port)
		frappe.db.commit()

	@staticmethod
	def allow(**values: Any) -> None:
		for field, value in values.items():
			frappe.db.set_single_value(SETTINGS, field, value)
		frappe.clear_document_cache(SETTINGS, SETTINGS)
		frappe.db.commit()

	def pull(self) -> None:
		jobs.pull_device(self.device, "Scheduler")

	def punches(self) -> list[Any]:
		return frappe.get_all(
			"Punch Log",
			{"device": self.device},
			["name", "status", "status_reason", "wall_time", "occurred_at", "retimed_by", "employee_checkin"],
			order_by="wall_time",
		)

	def only_punch(self) -> Any:
		(punch,) = self.punches()
		return punch

	def record(self) -> list[str]:
		return frappe.get_all(
			"Device Clock Log", {"device": self.device}, pluck="kind", order_by="creation, taken_at"
		)

	def checkins(self) -> list[datetime]:
		return frappe.get_all("Employee Checkin", {"employee": self.employee}, pluck="time")

	def test_a_wrong_time_is_retimed_by_one_click_and_back(self) -> None:
		contact.look(self.device)
		jump_clock(self.state, HALF_AN_HOUR)
		made_at = moments.now()
		punch_now(self.state, WORKER)
		self.pull()
		held = self.only_punch()
		self.assertEqual((held.status, held.status_reason), ("Quarantined", "clock_off"))
		self.assertEqual(retiming.count_by_clock(self.device), 1)

		frappe.set_user(premises.user("hr-manager", "HR Manager"))
		self.assertEqual(api.retime_device(self.device), {"punches": 1, "left": 0})
		jobs.carry_on()
		after = self.only_punch()
		self.assertEqual((after.name, after.wall_time), (held.name, held.wall_time))
		self.assertEqual(after.status, "Checked in")
		self.assertAlmostEqual(after.retimed_by, -HALF_AN_HOUR.total_seconds(), delta=2)
		(time,) = self.checkins()
		self.assertEqual(time, after.occurred_at)
		self.assertLess(abs(time - made_at), timedelta(seconds=5))

		# Whoever compares with the terminal's own count finds it where the terminal has it.
		there = held.occurred_at.replace(tzinfo=terminals.ZONE)
		window = Window(start=there - timedelta(minutes=1), end=there + timedelta(minutes=1))
		self.assertEqual(gaps._held_within(self.state.serial, window), 1)

		self.assertEqual(api.undo_retiming([held.name]), {"punches": 1, "left": 0})
		jobs.carry_on()
		back = self.only_punch()
		self.assertEqual(self.checkins(), [])
		self.assertEqual((back.status, back.retimed_by, back.employee_checkin), ("Quarantined", 0, None))
		self.assertEqual(back.occurred_at, held.occurred_at)
		self.assertEqual(self.record(), ["Reading", "Reading", "Re-timed", "Re-timing Undone"])
		traces = frappe.get_all("Comment", {"reference_name": held.name}, pluck="content")
		self.assertTrue(any(f"{after.retimed_by:.0f} seconds" in trace for trace in traces), traces)

	def test_what_stands_in_marked_attendance_is_not_undone(self) -> None:
		contact.look(self.device)
		jump_clock(self.state, HALF_AN_HOUR)
		punch_now(self.state, WORKER)
		self.pull()
		punch = self.only_punch().name
		retiming.retime([punch])
		jobs.carry_on()
		checkin = self.only_punch().employee_checkin
		frappe.db.set_value("Employee Checkin", checkin, "attendance", "HR-ATT-X", update_modified=False)
		self.assertEqual(retiming.undo([punch]), retiming.Retimed(punches=0, left=1))
		self.assertEqual(len(self.checkins()), 1)

	def test_what_a_person_has_set_aside_stays_so_when_its_time_is_put_back(self) -> None:
		contact.look(self.device)
		jump_clock(self.state, HALF_AN_HOUR)
		add_user(self.state, "92009")
		punch_now(self.state, "92009")
		self.pull()
		punch = self.only_punch().name
		retiming.retime([punch])
		jobs.carry_on()
		self.assertEqual(self.only_punch().status, "Unmapped")
		reviewing.ignore([punch], "a visitor")
		self.assertEqual(retiming.undo([punch]).punches, 1)
		jobs.carry_on()
		after = self.only_punch()
		self.assertEqual((after.status, after.retimed_by), ("Ignored", 0))
		self.assertEqual(after.status_reason, "set_aside:a visitor")

	def test_a_click_too_many_changes_nothing_and_is_not_on_record(self) -> None:
		contact.look(self.device)
		jump_clock(self.state, HALF_AN_HOUR)
		punch_now(self.state, WORKER)
		self.pull()
		held = self.only_punch()
		self.assertEqual(retiming.retime([held.name, held.name]).punches, 1)
		retimed_by = self.only_punch().retimed_by
		# Put into quarantine again by whatever rule: the recorded time plus the error is what it is already.
		frappe.db.set_value("Punch Log", held.name, "status", "Quarantined")
		self.assertEqual(retiming.retime([held.name]), retiming.Retimed(punches=0, left=1))
		self.assertEqual(self.only_punch().retimed_by, retimed_by)
		self.assertEqual(self.record().count("Re-timed"), 1)

	def test_a_time_that_cannot_be_right_is_left(self) -> None:
		contact.look(self.device)
		jump_clock(self.state, timedelta(days=-400))
		ahead = moments.now().replace(microsecond=0) + timedelta(days=200)
		self.state.record(WORKER, ahead, VerifyMode.FACE, DeviceKey.CHECK_IN)
		self.pull()
		held = self.only_punch()
		self.assertEqual(held.status, "Quarantined")
		self.assertEqual(retiming.retime([held.name]), retiming.Retimed(punches=0, left=1))
		self.assertEqual(self.only_punch(), held)

	def test_a_clock_that_jumped_between_two_contacts(self) -> None:
		contact.look(self.device)
		jump_clock(self.state, -HALF_AN_HOUR)
		contact.look(self.device)  # seen wrong
		punch_now(self.state, WORKER)
		jump_clock(self.state, HALF_AN_HOUR)  # set at its keypad
		self.pull()
		doubtful = self.only_punch()
		self.assertEqual((doubtful.status, doubtful.status_reason), ("Quarantined", "clock_jumped"))
		self.assertEqual(retiming.retime([doubtful.name]).punches, 1)
		jobs.carry_on()
		retimed = frappe.get_doc("Punch Log", doubtful.name)
		self.assertEqual(retimed.status, "Checked in")
		self.assertAlmostEqual(retimed.retimed_by, HALF_AN_HOUR.total_seconds(), delta=2)
		self.assertEqual(retimed.occurred_at, doubtful.occurred_at + timedelta(seconds=retimed.retimed_by))

	def test_a_clock_is_corrected_only_if_allowed_and_within_the_bound(self) -> None:
		jump_clock(self.state, HALF_AN_HOUR)
		self.pull()
		self.assertNotIn("Corrected", self.record())
		self.allow(correct_clocks=1, largest_correction=20)
		self.pull()
		self.pull()
		self.assertEqual(self.record().count("Not Corrected"), 1)
		self.assertFalse(contact.look(self.device)["clock_is_right"])
		self.allow(largest_correction=40)
		self.pull()
		self.assertTrue(contact.look(self.device)["clock_is_right"])
		(corrected,) = frappe.get_all(
			"Device Clock Log",
			{"device": self.device, "kind": "Corrected"},
			["clock_offset", "offset_after", "requested_by"],
		)
		self.assertAlmostEqual(corrected.clock_offset, 1800, delta=3)
		self.assertAlmostEqual(corrected.offset_after, 0, delta=3)
		punch_now(self.state, WORKER)
		self.pull()
		self.assertEqual(self.only_punch().status, "Checked in")

	def test_punches_before_a_clock_was_set_from_here_are_doubtful(self) -> None:
		self.pull()
		jump_clock(self.state, HALF_AN_HOUR)
		punch_now(self.state, WORKER)
		self.assertTrue(contact.set_clock(self.device)["clock_is_right"])
		self.pull()
		self.assertEqual(self.only_punch().status, "Quarantined")

	def test_a_corrected_time_zone_retimes_what_is_held(self) -> None:
		device = frappe.get_doc("Device Configuration", self.device)
		device.time_zone = "Asia/Kolkata"
		device.save()
		frappe.db.commit()
		made_at = moments.now()
		punch_now(self.state, WORKER)
		self.pull()
		held = self.only_punch()
		self.assertEqual((held.status, held.status_reason), ("Quarantined", "clock_off"))
		(log,) = frappe.get_all("Device Clock Log", {"device": self.device}, ["cause", "clock_offset"])
		self.assertEqual((log.cause, round(log.clock_offset / 60)), ("time_zone", -90))

		device.reload()
		device.time_zone = "Asia/Dubai"
		device.save()
		self.assertEqual(retiming.rezone(self.device, "Asia/Kolkata", "Asia/Dubai"), 1)
		jobs.carry_on()
		after = self.only_punch()
		self.assertEqual((after.name, after.status), (held.name, "Checked in"))
		self.assertLess(abs(after.occurred_at - made_at), timedelta(seconds=5))
		self.assertEqual(self.record()[-1], "Time Zone Changed")

	def test_only_hr_retimes(self) -> None:
		for role in ("System Manager", "Employee"):
			frappe.set_user(premises.user(f"asks-{frappe.scrub(role)}", role))
			self.assertRaises(frappe.PermissionError, api.retime_device, self.device)
			self.assertRaises(frappe.PermissionError, api.undo_retiming, ["x"])
