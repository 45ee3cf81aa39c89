"""last_sync_of_checkin on the real site: only as far as every terminal of the shift is vouched for."""

from __future__ import annotations

from datetime import datetime, timedelta
from unittest.mock import patch

import frappe

from attendance_bridge.bench import shifts
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.shifts import Holder
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals

NOON = datetime(2026, 3, 2, 12, 0)
HOUR = timedelta(hours=1)


class TestShifts(IntegrationTestCase):
	def setUp(self) -> None:
		premises.clear()
		self.addCleanup(premises.clear)
		self.served = premises.shift_type("served", "08:00:00", "17:00:00")
		self.lonely = premises.shift_type("lonely", "08:00:00", "17:00:00", last_sync_of_checkin=NOON)
		self.devices = [terminals.silent(number, shifts=[self.served]) for number in (1, 2)]
		frappe.db.commit()

	def _vouch(self, number: int, until: datetime | None) -> None:
		frappe.db.set_value("Device Configuration", self.devices[number - 1], "watermark", until)

	def _last_sync(self, shift: str | None = None) -> datetime | None:
		return frappe.db.get_value("Shift Type", shift or self.served, "last_sync_of_checkin")

	def _move(self) -> shifts.ShiftStanding:
		return next(standing for standing in shifts.move_all() if standing.shift == self.served)

	def test_held_while_one_terminal_was_never_read(self) -> None:
		self._vouch(1, NOON)
		standing = self._move()
		self.assertEqual((standing.holder, standing.device), (Holder.NEVER_READ, self.devices[1]))
		self.assertIsNone(self._last_sync())
		self.assertIn(self.devices[1], frappe.db.get_value("Shift Type", self.served, shifts.REASON_FIELD))

	def test_the_least_watermark_counts_and_never_goes_back(self) -> None:
		self._vouch(1, NOON + HOUR)
		self._vouch(2, NOON)
		self.assertEqual(self._move().device, self.devices[1])
		self.assertEqual(self._last_sync(), NOON)
		self._vouch(2, NOON - HOUR)
		self._move()
		self.assertEqual(self._last_sync(), NOON)

	def test_a_disabled_terminal_holds_nothing(self) -> None:
		self._vouch(1, NOON)
		frappe.db.set_value("Device Configuration", self.devices[1], "enabled", 0)
		self._move()
		self.assertEqual(self._last_sync(), NOON)

	def test_nothing_is_said_of_a_shift_that_no_terminal_serves_any_more(self) -> None:
		self._move()
		self.assertTrue(frappe.db.get_value("Shift Type", self.served, shifts.REASON_FIELD))
		for device in self.devices:
			frappe.db.set_value("Device Configuration", device, "enabled", 0)
		shifts.move_all()
		self.assertIsNone(frappe.db.get_value("Shift Type", self.served, shifts.REASON_FIELD))

	def test_a_shift_without_terminals_is_left_alone(self) -> None:
		self._vouch(1, NOON + HOUR)
		self._vouch(2, NOON + HOUR)
		self._move()
		self.assertEqual(self._last_sync(self.lonely), NOON)

	def test_a_waiting_punch_holds_it(self) -> None:
		for number in (1, 2):
			self._vouch(number, NOON + HOUR)
		early = terminals.punch("nobody", NOON - HOUR)
		PunchLog(self.devices[0]).accept(terminals.page(early), terminals.serial(), None)
		standing = self._move()
		self.assertEqual(standing.holder, Holder.WAITING_PUNCH)
		self.assertEqual(self._last_sync(), NOON - HOUR)
		frappe.db.set_value("Punch Log", {"device": self.devices[0]}, "status", "Unmapped")
		self._move()
		self.assertEqual(self._last_sync(), NOON + HOUR)

	def test_somebody_who_moves_it_by_hand_meanwhile_is_not_overruled(self) -> None:
		for number in (1, 2):
			self._vouch(number, NOON)
		found = shifts.standings()
		frappe.db.set_value("Shift Type", self.served, "last_sync_of_checkin", NOON + HOUR)
		with patch.object(shifts, "standings", return_value=found):
			shifts.move_all()
		self.assertEqual(self._last_sync(), NOON + HOUR)

	def test_where_hrms_moves_it_that_is_said(self) -> None:
		for number in (1, 2):
			self._vouch(number, NOON)
		frappe.db.set_value("Shift Type", self.served, "auto_update_last_sync", 1)
		self.assertEqual(self._move().holder, Holder.HRMS)
		self.assertIsNone(self._last_sync())
