"""The batch finder against HRMS's own function, moment by moment, on shifts of every kind."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any

import frappe
from hrms.hr.doctype.shift_assignment.shift_assignment import get_actual_start_end_datetime_of_shift

from attendance_bridge.bench import compat
from attendance_bridge.bench.shift_finder import ShiftFinder
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import premises

MONDAY = date(2026, 3, 2)
WEEKS = 3
SEED = 20260302


def _as_facts(shift: Any) -> tuple[Any, ...] | None:
	if not shift:
		return None
	return (
		shift.shift_type.name,
		shift.start_datetime,
		shift.end_datetime,
		shift.actual_start,
		shift.actual_end,
		*(shift.get(field) for field in compat.overtime_fields("Employee Checkin")),
	)


class TestShiftFinder(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		frappe.db.set_single_value("HR Settings", "allow_multiple_shift_assignments", 1)
		day = premises.shift_type("SF day", "08:00:00", "17:00:00", **premises.with_overtime())
		late = premises.shift_type("SF late", "17:00:00", "23:30:00", before=90, after=60)
		night = premises.shift_type("SF night", "22:00:00", "06:00:00", before=45, after=120)
		early = premises.shift_type("SF early", "00:30:00", "10:00:00", before=60, after=30)
		split = premises.shift_type("SF split", "10:00:00", "12:00:00", before=0, after=0)
		long = premises.shift_type("SF long", "06:00:00", "20:00:00", before=240, after=300)
		short = premises.shift_type("SF short", "20:00:00", "21:00:00", before=120, after=120)
		cls.people = {
			"none": premises.employee(1),
			"default day": premises.employee(2, default_shift=day),
			"default night": premises.employee(3, default_shift=night),
			"open": premises.employee(4),
			"changing": premises.employee(5),
			"two a day": premises.employee(6),
			"three a day": premises.employee(7, default_shift=day),
			"gaps": premises.employee(8, default_shift=night),
			"midnight margins": premises.employee(9),
			"wide margins": premises.employee(10),
			"single nights": premises.employee(11),
			"overlapping": premises.employee(12),
		}
		who = cls.people
		premises.assignment(who["open"], day, date(2026, 1, 1))
		premises.assignment(who["changing"], day, MONDAY, MONDAY + timedelta(days=6))
		premises.assignment(who["changing"], night, MONDAY + timedelta(days=7), MONDAY + timedelta(days=13))
		premises.assignment(who["changing"], early, MONDAY + timedelta(days=14))
		for shift in (day, late):
			premises.assignment(who["two a day"], shift, MONDAY, MONDAY + timedelta(days=20))
		for shift in (early, split, short):
			premises.assignment(
				who["three a day"], shift, MONDAY + timedelta(days=3), MONDAY + timedelta(days=9)
			)
		premises.assignment(who["gaps"], day, MONDAY + timedelta(days=2), MONDAY + timedelta(days=2))
		premises.assignment(who["gaps"], late, MONDAY + timedelta(days=4), MONDAY + timedelta(days=5))
		premises.assignment(who["midnight margins"], late, MONDAY, MONDAY + timedelta(days=4))
		premises.assignment(who["midnight margins"], early, MONDAY + timedelta(days=6))
		premises.assignment(who["wide margins"], long, MONDAY)
		premises.assignment(who["wide margins"], short, MONDAY)
		for offset in (0, 1, 4, 8, 9, 10):
			night_of = MONDAY + timedelta(days=offset)
			premises.assignment(who["single nights"], night, night_of, night_of)
		# HRMS refuses assignments that overlap in time; sites have them from before that check.
		premises.assignment(who["overlapping"], day, MONDAY)
		frappe.db.set_value(
			"Shift Assignment", premises.assignment(who["overlapping"], short, MONDAY), "shift_type", split
		)

	def _assert_same(self, who: str, moments: list[datetime]) -> None:
		employee = self.people[who]
		finder = ShiftFinder({employee}, min(moments), max(moments))
		for moment in moments:
			expected = _as_facts(get_actual_start_end_datetime_of_shift(employee, moment, True))
			found = _as_facts(finder.find(employee, moment))
			self.assertEqual(found, expected, f"{who} at {moment} (seed {SEED})")

	def test_around_every_edge_of_a_shift_and_of_its_margins(self) -> None:
		edges = set()
		for shift in frappe.get_all("Shift Type", {"name": ("like", f"{premises.MARK} SF %")}, ["*"]):
			before = timedelta(minutes=shift.begin_check_in_before_shift_start_time)
			after = timedelta(minutes=shift.allow_check_out_after_shift_end_time)
			edges |= {shift.start_time - before, shift.start_time, shift.end_time, shift.end_time + after}
		start = datetime.combine(MONDAY, datetime.min.time())
		moments = [
			start + edge % timedelta(days=1) + timedelta(seconds=second)
			for edge in sorted(edges)
			for second in (-1, 0, 1)
		]
		for who in ("default night", "two a day", "single nights", "midnight margins"):
			self._assert_same(who, moments)

	def test_hundreds_of_random_moments(self) -> None:
		chance = random.Random(SEED)
		start = datetime.combine(MONDAY, datetime.min.time()) - timedelta(days=3)
		seconds = (WEEKS * 7 + 6) * 86_400
		for who in self.people:
			moments = [start + timedelta(seconds=chance.randrange(seconds)) for _ in range(40)]
			self._assert_same(who, moments)

	def test_all_kinds_of_answers_occur(self) -> None:
		"""The sweep means something: there are shifts, none, and windows trimmed by a neighbour."""
		two, open_ended = self.people["two a day"], self.people["open"]
		noon = datetime.combine(MONDAY + timedelta(days=1), datetime.min.time()) + timedelta(hours=12)
		finder = ShiftFinder({two, open_ended}, noon - timedelta(days=1), noon + timedelta(days=1))
		self.assertEqual(finder.find(open_ended, noon).actual_end.hour, 18)
		for field in compat.overtime_fields("Employee Checkin"):
			self.assertTrue(finder.find(open_ended, noon)[field])
		afternoon = noon + timedelta(hours=4, minutes=30)
		self.assertEqual(finder.find(two, afternoon).actual_end.hour, 17)  # the late shift begins
		self.assertFalse(finder.find(open_ended, noon + timedelta(hours=11)))

	def test_a_shift_that_overlaps_itself_is_left_to_hrms(self) -> None:
		whole_day = premises.shift_type("SF whole day", "08:00:00", "07:00:00", before=10, after=10)
		frappe.db.set_value("Shift Type", whole_day, "begin_check_in_before_shift_start_time", 300)
		self.addCleanup(
			frappe.db.set_value, "Shift Type", whole_day, "begin_check_in_before_shift_start_time", 10
		)
		employee = premises.employee(20, default_shift=whole_day)
		self.people["whole day"] = employee
		self.addCleanup(self.people.pop, "whole day")
		start = datetime.combine(MONDAY, datetime.min.time())
		self._assert_same("whole day", [start + timedelta(minutes=171 * step) for step in range(40)])

	def test_statements_do_not_grow_with_the_moments(self) -> None:
		start = datetime.combine(MONDAY, datetime.min.time())
		everybody = set(self.people.values())
		finder = ShiftFinder(everybody, start, start + timedelta(days=20))
		for employee in everybody:  # shift types are read into the cache once
			finder.find(employee, start + timedelta(days=8, hours=9))
		with self.assertQueryCount(0):
			for employee in everybody:
				for hour in range(0, 480, 5):
					finder.find(employee, start + timedelta(hours=hour))
