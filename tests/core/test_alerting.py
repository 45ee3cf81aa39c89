from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from attendance_bridge.core.alerting import Alert, Event, Patience, step

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=timezone.utc)
LOOK = timedelta(minutes=5)


def play(looks: str) -> list[str]:
	"""What people are told, by the number of the look: + the cause is there, - it is not, every 5 minutes."""
	told: list[str] = []
	alert: Alert | None = None
	told_before: datetime | None = None
	for number, mark in enumerate(looks):
		result = step(alert, mark == "+", NOW + number * LOOK, Patience(), told_before=told_before)
		if result.notify:
			told.append(f"{'clear' if result.event is Event.CLEARED else 'alert'}@{number}")
		alert = result.alert
		if result.event is Event.CLEARED and alert is not None:
			told_before, alert = alert.notified or told_before, None
	return told


@pytest.mark.parametrize(
	("looks", "told"),
	[
		("-----", []),
		("+----", []),  # gone before anybody was sure
		("+-+-+-+-", []),
		("++", ["alert@1"]),
		("+++++++++", ["alert@1"]),  # once
		("++---", ["alert@1"]),  # not sure yet that it is over
		("++----", ["alert@1", "clear@5"]),
		("++--+--+--+----", ["alert@1", "clear@14"]),  # it comes and goes: one alert, one all-clear
		("++----" + "++----" * 5, ["alert@1", "clear@5"]),  # and again within the quiet time: nobody is told
		("++----" + "-" * 67 + "++", ["alert@1", "clear@5", "alert@74"]),  # a day later it is news
		# Back within the quiet time, and still there at its end: that is news.
		("++----" + "+" * 70, ["alert@1", "clear@5", "alert@73"]),
	],
)
def test_who_is_told_when(looks: str, told: list[str]) -> None:
	assert play(looks) == told


def test_the_time_of_a_look_does_not_matter() -> None:
	"""Contacts look too: what a second look within seconds finds opens nothing."""
	first = step(None, True, NOW, Patience())
	again = step(first.alert, True, NOW + timedelta(seconds=5), Patience())
	assert (again.event, again.alert and again.alert.opened) == (Event.NOTHING, None)


def test_what_was_not_sure_when_the_looks_ceased_begins_anew() -> None:
	"""After a pause of the site everybody has been silent; who answers now was no trouble."""
	first = step(None, True, NOW, Patience())
	later = NOW + timedelta(hours=2)
	again = step(first.alert, True, later, Patience())
	assert (again.event, again.alert and again.alert.first_seen) == (Event.NOTHING, later)
	assert step(again.alert, True, later + timedelta(minutes=5), Patience()).event is Event.OPENED
