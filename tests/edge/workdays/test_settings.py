"""How working days are counted, as it stands in the file."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.workday.plan import ShiftTimes
from attendance_bridge.core.workday.rules import BreakRules, Counting, DaysOff, OvertimeRules, Pairing
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.edge.settings import tomllib as toml
from attendance_bridge.edge.workdays.settings import MAX_HOLIDAYS, MAX_SHIFTS, WorkingDays
from tests.edge.workdays.rig import DAY_SHIFT, settings_of

FILE = """
[agent]
timezone = "Asia/Dubai"

[working_days]
weekly_off = ["Friday", "saturday"]
default_shift = "Day"
[working_days.holidays]
2026-12-02 = "National Day"

[overtime]
begins = 18:00:00
minimum_minutes = 30
[overtime.allowances]
dinner = 2

[[shifts]]
name = "Day"
start = 09:00:00
end = "17:30"
counting = "every_pair"
deducted_break_minutes = 45

[[shifts]]
name = "Night"
start = "22:00"
end = "06:00"
late_grace_minutes = -1
weekly_off = []
overtime = {begins = "20:00", extra_begins = "21:00", days_off = "as_usual"}
"""


def test_a_whole_file() -> None:
	found = from_mapping(toml.loads(FILE)).working_days
	assert found is not None
	assert (found.weekly_off, found.default_shift) == ({4, 5}, "Day")
	assert found.holidays == {date(2026, 12, 2): "National Day"}
	assert found.overtime == OvertimeRules(
		begins=time(18), minimum=timedelta(minutes=30), allowances={"dinner": timedelta(hours=2)}
	)
	day, night = found.shifts["Day"], found.shifts["Night"]
	assert (day.times.start, day.times.end, day.weekly_off) == (time(9), time(17, 30), {4, 5})
	assert (day.times.rules.counting, day.times.rules.pairing) == (Counting.EVERY_PAIR, Pairing.ALTERNATING)
	assert day.times.rules.breaks == BreakRules(deducted=timedelta(minutes=45))
	assert day.overtime == found.overtime
	assert isinstance(night.times, ShiftTimes)
	assert (night.times.rules.late_grace, night.weekly_off) == (None, frozenset())
	assert (night.overtime.begins, night.overtime.days_off) == (time(20), DaysOff.AS_USUAL)


def test_the_documented_file_is_one() -> None:
	text = (Path(__file__).parents[3] / "docs" / "edge-workdays.md").read_text(encoding="utf-8")
	found = from_mapping(toml.loads(text.split("```toml\n")[1].split("```")[0])).working_days
	assert found is not None
	assert set(found.shifts) == {"Day", "Night"}
	assert found.allowances == ("night_bill", "snacks")


def test_without_any_of_it() -> None:
	assert from_mapping({}).working_days == WorkingDays()


def test_where_a_site_counts_working_days_there_are_none_here(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("SITE_KEY", "x")
	upstream = {
		"kind": "frappe_bridge",
		"url": "https://erp.example.com",
		"api_key_env": "SITE_KEY",
		"api_secret_env": "SITE_KEY",
	}
	assert from_mapping({"upstream": upstream}).working_days is None
	with pytest.raises(ConfigError) as caught:
		from_mapping({"upstream": upstream, "overtime": {}})
	assert (caught.value.code, caught.value.details["path"]) == (Code.BAD_VALUE, "overtime")


def test_shifts_need_to_know_where_the_clock_hangs() -> None:
	with pytest.raises(ConfigError) as caught:
		from_mapping({"shifts": [DAY_SHIFT]})
	assert (caught.value.code, caught.value.details["path"]) == (Code.MISSING_KEY, "agent.timezone")


@pytest.mark.parametrize(
	("tables", "path"),
	[
		({"shifts": {}}, "shifts"),
		({"shifts": [DAY_SHIFT] * (MAX_SHIFTS + 1)}, "shifts"),
		({"shifts": ["Day"]}, "shifts[0]"),
		({"shifts": [{"name": "Day", "start": "09:00"}]}, "shifts[0].end"),
		({"shifts": [{**DAY_SHIFT, "start": "9 o'clock"}]}, "shifts[0].start"),
		({"shifts": [{**DAY_SHIFT, "start": "09:00+04:00"}]}, "shifts[0].start"),
		({"shifts": [{**DAY_SHIFT, "start": 9}]}, "shifts[0].start"),
		({"shifts": [{**DAY_SHIFT, "name": "\x07"}]}, "shifts[0].name"),
		({"shifts": [{**DAY_SHIFT, "pairing": "maybe"}]}, "shifts[0].pairing"),
		({"shifts": [{**DAY_SHIFT, "closes_after_hours": 17}]}, "shifts[0].closes_after_hours"),
		({"shifts": [{**DAY_SHIFT, "end": "09:00", "opens_before_hours": 12}]}, "shifts[0]"),
		({"shifts": [{**DAY_SHIFT, "weekly_off": ["someday"]}]}, "shifts[0].weekly_off"),
		({"shifts": [{**DAY_SHIFT, "overtime": {"begins": "x"}}]}, "shifts[0].overtime.begins"),
		({"shifts": [{**DAY_SHIFT, "overtime": {"begins": "20:00"}}]}, "shifts[0].overtime"),
		({"shifts": [DAY_SHIFT, DAY_SHIFT]}, "shifts[1].name"),
		({"shifts": [{**DAY_SHIFT, "colour": "red"}]}, "shifts[0].colour"),
		({"working_days": {"default_shift": "Day"}}, "working_days.default_shift"),
		({"working_days": {"weekly_off": "friday"}}, "working_days.weekly_off"),
		({"working_days": {"holidays": {"2 December": "x"}}}, "working_days.holidays.2 December"),
		({"working_days": {"holidays": {"2026-12-02": 1}}}, "working_days.holidays.2026-12-02"),
		(
			{"working_days": {"holidays": {str(number): "x" for number in range(MAX_HOLIDAYS + 1)}}},
			"working_days.holidays",
		),
		({"overtime": {"allowances": {"dinner": 0}}}, "overtime.allowances.dinner"),
		({"overtime": {"allowances": {"dinner": True}}}, "overtime.allowances.dinner"),
		({"overtime": {"round_minutes": 0}}, "overtime.round_minutes"),
	],
)
def test_what_is_wrong_is_named(tables: dict[str, Any], path: str) -> None:
	with pytest.raises(ConfigError) as caught:
		settings_of(tables)
	assert caught.value.details["path"] == path
