from __future__ import annotations

from datetime import date, datetime, timezone

import pytest

from attendance_bridge.stores.agreements import MAX_WHY, MOST_DAYS, Agreements, Author, MarkKind
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.database import Database

FIRST, SECOND, THIRD = (date(2026, 3, day) for day in (1, 2, 3))
BOSS = Author(who="boss", at=datetime(2026, 3, 1, tzinfo=timezone.utc), address="192.0.2.7")


@pytest.fixture
def agreements(db: Database) -> Agreements:
	return Agreements(db)


def test_assignments_of_a_range_the_last_made_first(agreements: Agreements) -> None:
	agreements.assign("E1", "Day", FIRST, None, BOSS)
	agreements.assign("E1", "Night", SECOND, SECOND, BOSS, besides=True)
	agreements.assign("E2\udcff", "Day", FIRST, FIRST, BOSS)
	found = agreements.of("E1", SECOND, THIRD).assignments
	assert [(each.shift, each.last, each.besides) for each in found] == [
		("Night", SECOND, True),
		("Day", None, False),
	]
	assert [each.holds(THIRD) for each in found] == [False, True]
	assert [each.shift for each in agreements.of("E1", FIRST, FIRST).assignments] == ["Day"]
	assert [each.shift for each in agreements.of("E2\udcff", FIRST, THIRD).assignments] == ["Day"]


def test_an_assignment_is_taken_back_once(agreements: Agreements) -> None:
	agreements.assign("E1", "Day", FIRST, None, BOSS)
	number = agreements.of("E1", FIRST, FIRST).assignments[0].number
	assert agreements.unassign(number, BOSS) == "E1"
	assert agreements.unassign(number, BOSS) is None
	assert agreements.of("E1", FIRST, FIRST).assignments == ()


def test_the_last_mark_of_a_day_counts(agreements: Agreements) -> None:
	agreements.mark("E1", MarkKind.LEAVE, FIRST, THIRD, "family", BOSS)
	agreements.mark("E1", MarkKind.HALF_LEAVE, SECOND, SECOND, "", BOSS)
	agreements.mark("E1", None, THIRD, THIRD, "", BOSS)
	marks = agreements.of("E1", FIRST, THIRD).marks
	assert {day: (mark.kind, mark.why) for day, mark in marks.items()} == {
		FIRST: (MarkKind.LEAVE, "family"),
		SECOND: (MarkKind.HALF_LEAVE, ""),
	}
	assert (marks[FIRST].made_by, marks[FIRST].made_at) == ("boss", BOSS.at)


def test_every_change_is_written_down(db: Database, agreements: Agreements) -> None:
	agreements.assign("E1", "Day", FIRST, None, BOSS)
	agreements.unassign(1, BOSS)
	agreements.mark("E1", MarkKind.OFF, FIRST, SECOND, "swapped", BOSS)
	acts = [(act.act, act.who, act.address, act.subject, act.details) for act in AuditLog(db).latest()]
	common = ("boss", "192.0.2.7", "E1")
	assert acts == [
		("day_marked", *common, "off, from 2026-03-01 to 2026-03-02: swapped"),
		("shift_taken_back", *common, "Day, from 2026-03-01"),
		("shift_assigned", *common, "Day, from 2026-03-01"),
	]


def test_what_makes_no_sense_is_refused_and_leaves_nothing(db: Database, agreements: Agreements) -> None:
	with pytest.raises(ValueError, match="not before the first"):
		agreements.assign("E1", "Day", SECOND, FIRST, BOSS)
	for first, last, why in (
		(SECOND, FIRST, ""),
		(FIRST, date.fromordinal(FIRST.toordinal() + MOST_DAYS), ""),
		(FIRST, FIRST, "x" * (MAX_WHY + 1)),
		(FIRST, FIRST, "a\u202eb"),
	):
		with pytest.raises(ValueError, match="one line of" if why else "1 to 366 days"):
			agreements.mark("E1", MarkKind.LEAVE, first, last, why, BOSS)
	assert AuditLog(db).latest() == []
