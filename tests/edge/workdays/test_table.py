"""The worked days that were counted by hand, replayed: punches, decisions, delivery, ledger, days."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from attendance_bridge.edge.workdays.book import PersonDay, Workdays
from attendance_bridge.stores.agreements import MarkKind
from tests.core.workday_table import DAYS, Day
from tests.edge.rig import Edge
from tests.edge.workdays.rig import BOSS, MONDAY, Shop, settings_of

OFF = {"weekly_off": {"weekly_off": ["Monday"]}, "holiday": {"holidays": {"2026-03-02": "A holiday"}}}
REPLAYED = [
	day
	for day in DAYS
	if day.as_of is None and not (day.present and day.leave) and (day.off is None or day.off in OFF)
]
"""What happens while a day runs depends on when its shift closes; test_book looks at that. Leave
and presence are one mark here: there is no day with both. Half a day off is HRMS's alone."""

BASE = {
	"opens_before_hours": 3,
	"closes_after_hours": 12,
	"half_day_below_hours": 4,
	"absent_below_hours": 2,
	"pairing": "alternating",
	"start": "09:00",
	"end": "17:00",
}
KEYS = {"breaks_by_key_unpaid": True}
SHIFTS: dict[str, dict[str, Any]] = {
	"day": {},
	"long": {"end": "18:00"},
	"evening": {"start": "14:00", "end": "20:00"},
	"night": {"start": "22:00", "end": "06:00"},
	"late": {"start": "18:00", "end": "02:00"},
	"pairs": {"counting": "every_pair"},
	"strict": {"pairing": "strict"},
	"strict_pairs": {"pairing": "strict", "counting": "every_pair"},
	"open": {
		"late_grace_minutes": -1,
		"early_grace_minutes": -1,
		"half_day_below_hours": 0,
		"absent_below_hours": 0,
	},
	"keys": KEYS,
	"keys_paid": {**KEYS, "paid_break_minutes": 20},
	"lunch": {"deducted_break_minutes": 60},
	"quarter": {"round_minutes": 15},
}
OVERTIME: dict[str, dict[str, Any]] = {
	"default": {},
	"standard": {"standard_hours": 8},
	"minimum": {"minimum_minutes": 30},
	"down_30": {"round_minutes": 30},
	"nearest_30": {"round_minutes": 30, "rounding": "nearest"},
	"up_30": {"round_minutes": 30, "rounding": "up"},
	"within": {"within_shift": True},
	"four_six": {"begins": "16:00", "extra_begins": "18:00"},
	"dinner": {"allowances": {"dinner": 0.5}},
	"as_usual": {"days_off": "as_usual"},
}
MARKS = {"full": MarkKind.LEAVE, "half": MarkKind.HALF_LEAVE}


def shift_name(day: Day) -> str:
	return f"{day.shift} {day.rules}"


def told(span: timedelta) -> str:
	hours, rest = divmod(round(span.total_seconds()), 3600)
	return f"{hours}:{rest // 60:02}"


def facts_of(found: PersonDay) -> tuple[object, ...]:
	day = found.day
	spans = (day.worked, day.overtime, day.extra_overtime, day.late_by, day.early_by, day.breaks)
	anomalies = {anomaly.value for anomaly in day.anomalies}
	return (day.status.value, day.reason.value, *map(told, spans), day.allowances, anomalies, found.outside)


def expected_of(day: Day) -> tuple[object, ...]:
	spans = (day.worked, day.overtime, day.extra, day.late, day.early, day.breaks)
	return (
		*(day.status, day.reason, *spans),
		*(frozenset(day.allowances.split()), set(day.anomalies.split()), ()),
	)


@pytest.fixture
def found(edge: Edge) -> dict[str, PersonDay]:
	"""What the ledger makes of each day; the person is called like the day."""
	used = {(shift_name(day), day.shift, day.rules) for day in REPLAYED if day.shift}
	tables: dict[str, Any] = {
		"rules": {"debounce_seconds": 0, "working_day_hours": 24},
		"shifts": [
			{**BASE, **SHIFTS[shift], "name": name, "overtime": OVERTIME[rules]}
			for name, shift, rules in sorted(used)
		],
	}
	shop = Shop(edge, **tables)
	books: dict[str | None, Workdays] = {
		None: shop.workdays,
		**{kind: shop.days_of(settings_of({**tables, "working_days": table})) for kind, table in OFF.items()},
	}
	for day in REPLAYED:
		shop.passes(day.name, *day.scans.split())
		# Somebody who never came is no person of a place that has no list of people.
		shop.passes(day.name, "09:00", day=MONDAY.replace(month=4, day=1) - timedelta(days=10))
		if day.shift:
			shop.agreements.assign(day.name, shift_name(day), MONDAY, MONDAY, BOSS)
		kind = MarkKind.PRESENT if day.present else MARKS.get(day.leave or "")
		if kind is not None:
			shop.agreements.mark(day.name, kind, MONDAY, MONDAY, "", BOSS)
	shop.settle()
	people = {person.employee: person for person in shop.workdays.people(MONDAY, MONDAY + timedelta(days=29))}
	return {
		day.name: next(iter(books[day.off].of([people[day.name]], MONDAY, MONDAY)))[0] for day in REPLAYED
	}


def test_the_ledger_makes_of_each_day_what_was_counted_by_hand(found: dict[str, PersonDay]) -> None:
	assert len(found) > 100
	assert {name: facts_of(each) for name, each in found.items()} == {
		day.name: expected_of(day) for day in REPLAYED
	}
