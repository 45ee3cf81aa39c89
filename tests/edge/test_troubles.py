"""What the status page says is wrong, from real stores."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from attendance_bridge.core.causes import Cause, Finding, Limits
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.errors import Code, DeviceError, UpstreamError
from attendance_bridge.core.retry import Breaker
from attendance_bridge.edge.messages import TROUBLE_ADVICE, spell_trouble
from attendance_bridge.edge.troubles import Troubles
from tests.edge.rig import Edge, zkteco

GATE = "Main gate"


class Watch:
	"""The list of an agent with one terminal."""

	def __init__(self, edge: Edge, limits: Limits | None = None) -> None:
		self.edge = edge
		self.error: UpstreamError | None = None
		device = zkteco(4370, GATE)
		edge.book.place(GATE, driver="zkteco_tcp", host="192.0.2.1", port=4370)
		self._troubles = Troubles(
			devices=lambda: (device,),
			book=edge.book,
			punches=edge.punches,
			upstream_error=lambda: self.error,
			folder=Path(edge.database.path).parent,
			limits=limits or Limits(disk_free_bytes=0),
			now=edge.clock,
		)

	def contact(self, *, ahead: float = 0.0, held: int = 412) -> None:
		now = self.edge.clock()
		self.edge.book.contact(
			GATE,
			DeviceInfo(serial="T1", model="K1T", punches_held=held, punch_capacity=1000),
			at=now,
			reading=ClockReading(taken_at=now, device_time=now + timedelta(seconds=ahead)),
		)

	def fail(self, error: DeviceError) -> None:
		now = self.edge.clock()
		self.edge.book.failed(GATE, error, at=now, breaker=Breaker(failures=1, open_until=now))

	def causes(self) -> list[str]:
		return [trouble["cause"] for trouble in self._troubles.view()]

	def only(self) -> dict[str, str]:
		(trouble,) = self._troubles.view()
		return trouble


@pytest.fixture
def watch(edge: Edge) -> Watch:
	return Watch(edge)


def test_nothing_is_wrong(watch: Watch) -> None:
	watch.contact()
	assert watch.causes() == []


def test_a_dark_terminal(watch: Watch) -> None:
	watch.contact()
	watch.edge.clock.advance(minutes=40)
	assert watch.only()["what"] == "Nothing was heard of Main gate for 40 minutes."
	watch.fail(DeviceError(Code.UNREACHABLE, retryable=True, host="192.0.2.1", port=4370))
	assert "192.0.2.1:4370" in watch.only()["advice"]
	watch.contact()
	assert watch.causes() == []


def test_a_terminal_that_never_answered_is_dark_half_an_hour_after_the_start(watch: Watch) -> None:
	assert watch.causes() == []
	watch.edge.clock.advance(minutes=31)
	assert watch.causes() == ["device_dark"]


def test_a_refused_password_is_the_cause_and_not_the_silence(watch: Watch) -> None:
	watch.contact()
	watch.fail(DeviceError(Code.AUTH_FAILED, host="192.0.2.1", port=4370))
	watch.edge.clock.advance(minutes=90)
	assert watch.causes() == ["wrong_password"]


def test_a_wrong_clock_and_a_full_log(watch: Watch) -> None:
	watch.contact(ahead=-3600, held=950)
	assert watch.causes() == ["clock_off", "nearly_full"]


def test_the_site_and_the_disk(edge: Edge) -> None:
	watch = Watch(edge, Limits(disk_free_bytes=2**62))
	watch.contact()
	watch.error = UpstreamError(Code.UNREACHABLE, retryable=True, url="https://hr.example")
	assert watch.causes() == ["site_unreachable", "disk_full"]


def test_a_list_of_people_that_went_bad_is_no_dark_site(watch: Watch) -> None:
	watch.contact()
	watch.error = UpstreamError(Code.BAD_VALUE, retryable=True, path="people.csv: line 2", expected="other")
	trouble = watch.only()
	assert trouble["cause"] == "people_list"
	assert "stays in force" in trouble["what"]
	assert trouble["advice"] == "people.csv: line 2 must be other."


def test_every_cause_that_an_agent_can_know_has_words() -> None:
	for cause in TROUBLE_ADVICE:
		facts = {"minutes": 5, "seconds": 9, "percent": 91, "count": 7, "megabytes": 3}
		words = spell_trouble(Finding(cause=cause, subject="Gate", facts=facts))
		assert words.endswith(".")
		assert "{" not in words
	elsewhere = {Cause.COUNT_MISMATCH, Cause.UNMAPPED, Cause.SHIFT_HELD, Cause.AGENT_GONE}
	assert set(TROUBLE_ADVICE) == set(Cause) - elsewhere
