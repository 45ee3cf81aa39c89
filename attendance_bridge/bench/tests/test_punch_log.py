"""Punch Log on the real site: held raw, counted right, IN and OUT kept right when punches come late."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import frappe

from attendance_bridge.bench import checkins, deciding, punch_log, punch_rows
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises, terminals
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.driver import Page, UnreadableRow
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode

MONDAY = datetime(2026, 3, 2)
SEED = 7


class TestPunchLog(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		premises.clear()
		cls.addClassCleanup(premises.clear)
		cls.people = [premises.employee(number, device_user_id=f"abt{number}") for number in (1, 2, 3)]
		frappe.db.commit()

	def setUp(self) -> None:
		self._clear()
		self.addCleanup(self._clear)
		self.devices = [terminals.silent(1), terminals.silent(2)]
		frappe.db.commit()
		self.log = PunchLog(self.devices[0])

	def _clear(self) -> None:
		frappe.db.rollback()
		own = ("like", f"{premises.MARK}%")
		for doctype in ("Punch Log", "Unreadable Record"):
			frappe.db.delete(doctype, {"device": own})
		frappe.db.delete("Employee Checkin", {"employee": ("in", self.people)})
		frappe.db.delete("Device Configuration", {"name": own})
		frappe.db.commit()

	def _accept(self, *punches: Punch, reading: ClockReading | None = None) -> Accepted:
		return self.log.accept(terminals.page(*punches), terminals.serial(), reading)

	def test_new_and_known_are_counted_exactly(self) -> None:
		punches = [terminals.punch("abt1", MONDAY + timedelta(minutes=step)) for step in range(1200)]
		self.assertEqual(self._accept(*punches[:700]), Accepted(new=700, known=0))
		self.assertEqual(self._accept(*punches), Accepted(new=500, known=700))
		self.assertEqual(self._accept(*punches[:2], punches[0]), Accepted(new=0, known=3))
		one = terminals.punch("abt2", MONDAY)
		self.assertEqual(self._accept(one, one), Accepted(new=1, known=1))

	def test_a_punch_comes_back_equal(self) -> None:
		strange = [
			terminals.punch("007", MONDAY),
			terminals.punch("7", MONDAY),
			terminals.punch("ä ", MONDAY),
			terminals.punch("a", MONDAY),
			terminals.punch("A", MONDAY),
			terminals.punch("😀", MONDAY),
			terminals.punch("\ud83d x", MONDAY),
			terminals.punch("1", datetime(1970, 1, 1)),
			terminals.punch("1", datetime(9998, 12, 31, 23, 59, 59)),
			terminals.punch("1", datetime(2, 1, 2)),
			Punch(
				device_serial=terminals.serial(),
				device_user_id="1",
				occurred_at=datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
				verify_mode=VerifyMode.PALM,
				device_key=DeviceKey.BREAK_IN,
				raw="\\ '\" %s \x00 \udcff",
			),
		]
		self.assertEqual(self._accept(*strange).new, len(strange))
		self.assertEqual(self._accept(*strange).known, len(strange))
		held = frappe.get_all("Punch Log", fields=list(punch_rows.PUNCH_COLUMNS))
		self.assertEqual(set(map(punch_rows.punch_of, held)), set(strange))
		undecided = {each.observation.punch for each in punch_log.undecided(100)}
		self.assertEqual(undecided, {replace(each, raw="") for each in strange})

	def test_the_clock_reading_comes_back(self) -> None:
		taken_at = datetime(2026, 3, 2, 6, 0, 0, 500, tzinfo=timezone.utc)
		reading = ClockReading(taken_at=taken_at, device_time=taken_at + timedelta(hours=1))
		good_until = datetime(2026, 3, 2, 9, 0)
		frappe.db.set_value("Device Configuration", self.devices[0], "clock_good_until", good_until)
		self._accept(terminals.punch("abt1", MONDAY), reading=reading)
		observation = punch_log.undecided(1)[0].observation
		self.assertEqual(observation.reading, reading)
		self.assertEqual(observation.clock_good_until, datetime(2026, 3, 2, 5, 0, tzinfo=timezone.utc))

	def test_unreadable_records_are_kept_once(self) -> None:
		page = Page(
			punches=(), cursor=START, unreadable=(UnreadableRow(raw="00ff", reason="bad_date"),) * 2, read=2
		)
		self.assertEqual(self.log.accept(page, terminals.serial(), None).unreadable, 1)
		self.assertEqual(self.log.accept(page, terminals.serial(), None).unreadable, 0)

	def test_the_cursor_is_that_of_one_terminal(self) -> None:
		cursor = Cursor({"serial_no": 17})
		self.assertEqual(self.log.load(terminals.serial()), START)
		self.log.save(terminals.serial(), cursor)
		frappe.db.rollback()
		self.assertEqual(self.log.load(terminals.serial()), cursor)
		self.assertEqual(self.log.load("ANOTHER"), START)
		self.log.save("ANOTHER", Cursor({"serial_no": 1}))
		self.assertEqual(self.log.load(terminals.serial()), cursor)

	def test_statements_do_not_grow_with_the_rows_held(self) -> None:
		def batch(day: int) -> list[Punch]:
			return [
				terminals.punch(f"abt{person}", MONDAY + timedelta(days=day, minutes=3 * step))
				for step in range(100)
				for person in (1, 2, 3)
			]

		counts = []
		for day in (0, 1, 2, 10):
			if day == 2:  # now there are many
				self._accept(*(punch for other in range(20, 40) for punch in batch(other)))
				deciding.decide_received()
			statements = self._count(lambda day=day: self._accept(*batch(day)))
			statements += self._count(deciding.decide_received)
			statements += self._count(checkins.deliver_pending) if day < 2 else 0
			counts.append(statements)
		self.assertLessEqual(abs(counts[2] - counts[3]), 8, counts)
		self.assertLess(counts[3], 120, counts)

	def _count(self, act: Any) -> int:
		with patch.object(frappe.db, "sql", side_effect=frappe.db.sql) as sql:
			act()
		return sql.call_count

	def _decided(self) -> list[tuple[str, str, str]]:
		rows = frappe.db.sql(
			"SELECT `name`, `status`, COALESCE(`log_type`, ''), COALESCE(`log_type_reason`, '')"
			" FROM `tabPunch Log` WHERE `device` IN %s ORDER BY `occurred_utc`, `name`",
			(self.devices,),
		)
		return list(rows)

	def test_late_punches_leave_in_and_out_as_if_all_had_come_in_order(self) -> None:
		chance = random.Random(SEED)
		punches = [
			terminals.punch(
				f"abt{person}", MONDAY + timedelta(seconds=chance.randrange(4 * 86_400)), number=number
			)
			for person in (1, 2, 3)
			for number in (1, 2)
			for _ in range(25)
		]
		self._accept(*punches)
		deciding.decide_received()
		in_order = self._decided()
		for _round in range(3):
			frappe.db.delete("Punch Log", {"device": ("in", self.devices)})
			chance.shuffle(punches)
			for start in range(0, len(punches), 30):
				self._accept(*punches[start : start + 30])
				with patch.object(deciding, "BATCH", 11):
					deciding.decide_received()
			self.assertEqual(self._decided(), in_order, f"seed {SEED}")

	def test_a_batch_goes_its_way_past_checkins_that_stand(self) -> None:
		"""Another terminal's backlog: decided at once as if each punch had been decided by itself."""
		chance = random.Random(SEED)

		def some(number: int) -> list[Punch]:
			return [
				terminals.punch(
					f"abt{person}", MONDAY + timedelta(seconds=chance.randrange(3 * 86_400)), number=number
				)
				for person in (1, 2, 3)
				for _ in range(25)
			]

		self._accept(*some(1))
		deciding.decide_received()
		checkins.deliver_pending()
		standing = self._decided()
		self._accept(*some(2))
		with patch.object(deciding, "alone", side_effect=deciding.alone) as turns:
			self.assertEqual(deciding.decide_received(), 75)
		self.assertEqual(turns.call_count, 1)
		at_once = self._decided()
		self.assertLessEqual(set(standing), set(at_once))
		for most in (punch_log.CHECKINS_ON_THE_WAY, 3):
			frappe.db.sql(
				f"UPDATE `tabPunch Log` SET {punch_rows.CLEAN_SHEET} WHERE `device_serial` = %s"
				" AND `employee_checkin` IS NULL",
				terminals.serial(2),
			)
			batch = 1 if most > 3 else deciding.BATCH
			with patch.object(deciding, "BATCH", batch), patch.object(punch_log, "CHECKINS_ON_THE_WAY", most):
				deciding.decide_received()
			self.assertEqual(self._decided(), at_once, f"seed {SEED}, {most} on the way")

	def test_a_checkin_is_never_changed_by_what_comes_late(self) -> None:
		self._accept(*(terminals.punch("abt1", MONDAY + timedelta(hours=hour)) for hour in (8, 17)))
		deciding.decide_received()
		checkins.deliver_pending()
		made = self._decided()
		self._accept(terminals.punch("abt1", MONDAY + timedelta(hours=12)))
		deciding.decide_received()
		self.assertEqual([row for row in self._decided() if row in made], made)
		self.assertEqual({row[1] for row in self._decided()}, {"Checked in", "Pending"})

	def test_a_status_that_somebody_changed_meanwhile_stays(self) -> None:
		self._accept(terminals.punch("abt1", MONDAY))
		name = punch_rows.name_of(terminals.punch("abt1", MONDAY))
		frappe.db.set_value("Punch Log", name, "status", "Ignored")
		written = punch_rows.update(("status",), [(name, "Pending")], standing="Received")
		self.assertEqual((written, frappe.db.get_value("Punch Log", name, "status")), (0, "Ignored"))
