from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.stores import columns

ZONES = ["Asia/Dubai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC"]


@given(st.datetimes(timezones=st.sampled_from([timezone.utc, timezone(timedelta(hours=-9, minutes=-30))])))
def test_a_moment_comes_back_to_the_microsecond(moment: datetime) -> None:
	back = columns.moment(columns.micros(moment))
	in_range = timedelta(days=1) < moment - datetime(1, 1, 1, tzinfo=timezone.utc)
	assert back == moment or not in_range or moment.year == 9999


@pytest.mark.parametrize("value", [-(2**63), 2**63 - 1])
def test_beyond_the_calendar_its_edge_is_given(value: int) -> None:
	assert columns.moment(value).year in (1, 9999)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_comes_back(text: str) -> None:
	connection = sqlite3.connect(":memory:")
	try:
		connection.execute("CREATE TABLE one (value TEXT)")
		connection.execute("INSERT INTO one VALUES (?)", (columns.text_in(text),))
		assert columns.text_out(connection.execute("SELECT value FROM one").fetchone()[0]) == text
	finally:
		connection.close()


@pytest.mark.parametrize(
	("zone", "name"),
	[
		(ZoneInfo("Asia/Dubai"), "Asia/Dubai"),
		(timezone.utc, "+00:00"),
		(timezone(timedelta(hours=5, minutes=30), "IST"), "+05:30"),
		(timezone(-timedelta(hours=3, minutes=25, seconds=45)), "-03:25:45"),
	],
)
def test_a_zone_is_named(zone: ZoneInfo | timezone, name: str) -> None:
	assert columns.zone_name(datetime(2026, 11, 19, 8, 0, tzinfo=zone)) == name
