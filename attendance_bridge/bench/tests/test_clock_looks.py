"""Looks at a terminal's clock, whoever had them: what they leave behind on the real site."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import clock_guard, devices, health, moments
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.core.clock import ClockReading

SECONDS = timedelta(seconds=1)
MINUTES = timedelta(minutes=1)


class TestLooks(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)

	def setUp(self) -> None:
		self.addCleanup(frappe.db.rollback)
		self.device = terminals.silent(1)
		self.now = moments.utc_now() - 60 * MINUTES

	def read(self, ahead: timedelta, after: timedelta) -> bool:
		at = self.now + after
		reading = ClockReading(taken_at=at, device_time=(at + ahead).astimezone(terminals.ZONE))
		return clock_guard.was_read(self.device, reading, devices.rules().clock)

	def state(self) -> Any:
		return clock_guard.clock(self.device).state

	def record(self) -> list[float]:
		return frappe.get_all(
			"Device Clock Log", {"device": self.device}, pluck="clock_offset", order_by="taken_at"
		)

	def test_a_look_is_written_down_and_what_it_tells_once_more_is_not(self) -> None:
		self.assertTrue(self.read(2 * SECONDS, 0 * SECONDS))
		self.assertFalse(self.read(3 * SECONDS, 8 * SECONDS))
		self.assertTrue(self.read(4 * SECONDS, 40 * SECONDS))
		self.assertTrue(self.read(10 * MINUTES, 48 * SECONDS))  # it has jumped
		self.assertEqual(self.state().offset, 10 * MINUTES)
		self.assertEqual(self.record(), [2.0, 600.0])

	def test_a_clock_that_jumps_at_every_call_fills_no_disk(self) -> None:
		for number in range(30):
			self.read((number % 2) * 10 * MINUTES, number * 3 * SECONDS)
		self.assertEqual(len(self.record()), 20)
		self.assertEqual(self.state().offset, 10 * MINUTES)  # what is known goes on
		self.read(0 * SECONDS, 65 * MINUTES)
		self.assertEqual(len(self.record()), 21)

	def test_a_look_that_comes_late_does_not_undo_a_later_one(self) -> None:
		self.read(0 * SECONDS, 10 * MINUTES)
		self.assertFalse(self.read(10 * MINUTES, 5 * MINUTES))
		self.assertEqual(self.state().offset, 0 * SECONDS)
		self.assertIsNone(self.state().doubt)

	def test_a_look_of_tomorrow_does_not_keep_todays_out(self) -> None:
		self.read(0 * SECONDS, timedelta(days=1))
		self.assertTrue(self.read(5 * MINUTES, 1 * MINUTES))

	def test_a_clock_that_nobody_has_looked_at_is_not_called_right(self) -> None:
		seen: dict[str, datetime] = {"last_contact": moments.now()}
		frappe.db.set_value(devices.DOCTYPE, self.device, seen)
		self.assertFalse(health.of_device(self.device)["clock"]["known"])
		self.read(1 * SECONDS, 0 * SECONDS)
		self.assertTrue(health.of_device(self.device)["clock"]["known"])
