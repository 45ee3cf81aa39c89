from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from attendance_bridge.core.causes import (
	Cause,
	DeviceFacts,
	Filling,
	Finding,
	Limits,
	is_online,
	of_agent,
	of_backlog,
	of_device,
	of_disk,
	of_shifts,
	of_site,
	of_unmapped,
	together,
	unknown_of_agent,
	unknown_of_device,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=timezone.utc)
LIMITS = Limits()


def ago(minutes: float) -> datetime:
	return NOW - timedelta(minutes=minutes)


def found(**facts: Any) -> list[str]:
	facts = {"name": "Gate", "last_contact": ago(1), **facts}
	return [finding.key for finding in of_device(DeviceFacts(**facts), LIMITS, NOW)]


@pytest.mark.parametrize(
	("facts", "keys"),
	[
		({}, []),
		({"last_contact": ago(30)}, []),
		({"last_contact": ago(31)}, ["device_dark:Gate"]),
		({"last_contact": ago(31), "error_code": "unreachable"}, ["device_dark:Gate"]),
		({"last_contact": ago(5), "error_code": "unreachable"}, []),  # not for long yet
		({"last_contact": ago(70), "poll_every": timedelta(minutes=60)}, []),  # it is read hourly
		({"last_contact": None, "expected_since": ago(40)}, ["device_dark:Gate"]),
		({"last_contact": None, "expected_since": ago(10)}, []),
		({"last_contact": None}, []),
		# One cause explains the silence.
		({"last_contact": ago(99), "error_code": "auth_failed"}, ["wrong_password:Gate"]),
		({"error_code": "locked_out"}, ["wrong_password:Gate"]),
		({"last_contact": ago(99), "error_code": "wrong_device"}, ["wrong_device:Gate"]),
		({"last_contact": ago(99), "behind": True}, []),  # its agent is gone, and has an alert of its own
		({"clock_offset": timedelta(seconds=-121)}, ["clock_off:Gate"]),
		({"clock_offset": timedelta(seconds=120)}, []),
		({"missing": 3}, ["count_mismatch:Gate"]),
		({"filling": Filling(held=89, capacity=100)}, []),
		({"filling": Filling(held=90, capacity=100)}, ["nearly_full:Gate"]),
		({"filling": Filling(held=90, capacity=0)}, []),
		({"filling": Filling(held=60, capacity=100, per_day=4)}, ["nearly_full:Gate"]),  # full in ten days
		({"filling": Filling(held=60, capacity=100, per_day=2)}, []),  # in twenty
		({"filling": Filling(held=10, capacity=100, per_day=40)}, []),  # one busy day
		({"filling": Filling(held=150, capacity=100, per_day=0)}, ["nearly_full:Gate"]),
	],
)
def test_of_device(facts: dict[str, Any], keys: list[str]) -> None:
	assert found(**facts) == keys


@pytest.mark.parametrize(
	("held", "capacity", "per_day", "percent", "left", "days"),
	[
		(50, 200, 10, 25, 150, 15),
		(250, 200, 10, 125, 0, 0),
		(50, 200, 0, 25, 150, None),
		(50, 0, 10, None, None, None),
	],
)
def test_filling(
	held: int, capacity: int, per_day: float, percent: int | None, left: int | None, days: float | None
) -> None:
	filling = Filling(held=held, capacity=capacity, per_day=per_day)
	assert (filling.percent, filling.left, filling.full_in_days) == (percent, left, days)


@pytest.mark.parametrize(
	("facts", "online"),
	[
		({"last_contact": ago(16)}, True),
		({"last_contact": ago(17)}, False),
		({"last_contact": None}, False),
		({"last_contact": ago(1), "error_code": "timeout"}, False),
		({"last_contact": ago(1), "behind": True}, False),
	],
)
def test_is_online(facts: dict[str, Any], online: bool) -> None:
	assert is_online(DeviceFacts(name="Gate", **facts), NOW) is online


@pytest.mark.parametrize(
	("last", "waiting", "keys"),
	[
		(ago(15), 500, []),
		(ago(16), 501, ["agent_gone:North"]),  # its backlog is no second cause
		(ago(1), 501, ["backlog:North"]),
		(None, 0, []),
	],
)
def test_of_agent(last: datetime | None, waiting: int, keys: list[str]) -> None:
	assert [finding.key for finding in of_agent("North", last, waiting, LIMITS, NOW)] == keys


def test_the_others() -> None:
	assert [each.key for each in of_backlog(501, LIMITS)] == ["backlog:"]
	assert of_backlog(500, LIMITS) == []
	assert [each.facts for each in of_unmapped(11, LIMITS)] == [{"count": 11}]
	assert of_unmapped(10, LIMITS) == []
	held = [("Early", None), ("Day", ago(239)), ("Late", ago(300))]
	assert [(each.subject, each.facts) for each in of_shifts(held, LIMITS, NOW)] == [
		("Early", {"hours": None}),
		("Late", {"hours": 5}),
	]
	assert of_disk(None, LIMITS) == of_disk(500_000_000, LIMITS) == []
	assert [each.facts for each in of_disk(20_000_000, LIMITS)] == [{"megabytes": 20}]
	assert [each.cause for each in of_site("unreachable")] == [Cause.SITE_UNREACHABLE]
	assert of_site("") == []


@pytest.mark.parametrize(
	("dark", "gone", "watched", "keys"),
	[
		(6, 0, 11, ["device_dark:"]),  # more than half of all
		(6, 0, 12, [f"device_dark:T{number}" for number in range(6)]),
		(5, 0, 5, [f"device_dark:T{number}" for number in range(5)]),  # few enough to name each
		(4, 3, 9, ["device_dark:"]),  # terminals and agents have one network
	],
)
def test_what_most_have_at_once_is_one_finding(dark: int, gone: int, watched: int, keys: list[str]) -> None:
	findings = [Finding(cause=Cause.DEVICE_DARK, subject=f"T{number}") for number in range(dark)]
	findings += [Finding(cause=Cause.AGENT_GONE, subject=f"A{number}") for number in range(gone)]
	told, taken = together(findings, {Cause.DEVICE_DARK: watched - 3, Cause.AGENT_GONE: 3})
	assert [each.key for each in told] == keys
	assert taken == (frozenset() if len(keys) > 1 else frozenset(each.key for each in findings))


def test_a_list_of_many_is_cut_short() -> None:
	many = [Finding(cause=Cause.CLOCK_OFF, subject=f"T{number:02d}") for number in range(40)]
	(told,), _taken = together(many, {Cause.CLOCK_OFF: 40})
	assert told.facts == {"count": 40, "names": "T00, T01, T02, T03, T04, T05, T06, T07, …"}


@pytest.mark.parametrize(
	("facts", "unknown"),
	[
		({}, set()),
		({"behind": True}, {Cause.DEVICE_DARK, Cause.WRONG_PASSWORD, Cause.WRONG_DEVICE}),
		({"error_code": "timeout"}, {Cause.WRONG_PASSWORD, Cause.WRONG_DEVICE}),
	],
)
def test_what_nobody_can_tell_is_not_over(facts: Any, unknown: set[Cause]) -> None:
	assert unknown_of_device(DeviceFacts(name="Gate", last_contact=ago(1), **facts)) == unknown
	gone = of_agent("Branch", ago(50), 900, LIMITS, NOW)
	assert unknown_of_agent(gone) == {Cause.BACKLOG}
	assert unknown_of_agent(of_agent("Branch", ago(1), 900, LIMITS, NOW)) == set()
