"""From the log to the upstream: with the real log, and a site or a ledger that takes what is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.direction import DeviceRole, LogType
from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.person import Directory, Everybody
from attendance_bridge.core.projection import DevicePolicy, Rules, State
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.upstream import Upstream
from attendance_bridge.edge.connections import make_upstream
from attendance_bridge.edge.line import LONGEST_PAUSE
from attendance_bridge.edge.messages import sentence
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.edge.uploader import Uploader
from attendance_bridge.simulators.frappe_site import FrappeSite, SiteState, verbs
from attendance_bridge.stores.ledger import SqliteLedger
from attendance_bridge.upstreams.erpnext_rest import Upstream as SiteUpstream
from attendance_bridge.upstreams.erpnext_rest.config import Config as SiteConfig
from attendance_bridge.upstreams.local_ledger import Config as LedgerConfig
from attendance_bridge.upstreams.local_ledger import Upstream as LedgerUpstream
from tests.edge.rig import YESTERDAY, ZONE, Clock, Edge, eventually, punch, running

PEOPLE_EVERY = timedelta(minutes=10)


class Desk:
	"""An uploader, and what it is told about the terminals."""

	def __init__(self, edge: Edge, upstream: Upstream, everybody: Directory | None = None) -> None:
		self._edge = edge
		self.policies: dict[str, DevicePolicy] = {}
		self.is_catching_up = False
		self.uploader = Uploader(
			punches=edge.punches,
			outbox=edge.outbox,
			roster=edge.roster,
			upstream=upstream,
			rules=Rules(),
			policies=lambda: self.policies,
			catching_up=lambda: self.is_catching_up,
			people_every=PEOPLE_EVERY,
			now=edge.clock,
			pulse=edge.pulse,
			everybody=everybody,
			chance=lambda: 0.5,
		)

	def work(self) -> None:
		"""Go round until there is nothing to do at the present moment."""
		for _round in range(200):
			if not self.uploader.step():
				return
		raise AssertionError("it does not come to an end")

	@property
	def error(self) -> Code | None:
		error = self.uploader.last_error
		return None if error is None else error.code

	def states(self) -> list[State]:
		return [held.state for held in self._edge.held()]

	def log_types(self) -> list[LogType | None]:
		return [held.log_type for held in self._edge.held()]


@contextmanager
def site_desk(edge: Edge, state: SiteState, **options: Any) -> Iterator[Desk]:
	"""An uploader before a site with some people; their ids on the terminals are their numbers."""
	for number in range(1, 6):
		verbs.hire(state, f"HR-EMP-{number}", device_id=str(number))
	with FrappeSite(state) as site:
		config: dict[str, Any] = {
			"url": site.url,
			"api_key": Secret(state.api_key),
			"api_secret": Secret(state.api_secret),
			"timezone": ZONE,
			"timeout": 5.0,
			"concurrency": 1,
		}
		upstream = SiteUpstream(SiteConfig(**{**config, **options}))
		try:
			yield Desk(edge, upstream)
		finally:
			upstream.close()


@pytest.fixture
def state() -> SiteState:
	return SiteState(time_zone=ZONE.key)


class Ledger:
	"""A ledger with a list of people that somebody keeps in a file."""

	def __init__(self, edge: Edge, folder: Path) -> None:
		self._file = folder / "people.csv"
		self.write("E1,1", "E2,2")
		self.book = SqliteLedger(edge.database)
		self.upstream = LedgerUpstream(LedgerConfig(people_file=str(self._file)), ledger=self.book)
		self.desk = Desk(edge, self.upstream)

	def write(self, *lines: str) -> None:
		self._file.write_text("\n".join(("employee,attendance_device_id", *lines)), encoding="utf-8")


@pytest.fixture
def ledger(edge: Edge, tmp_path: Path) -> Ledger:
	return Ledger(edge, tmp_path)


# people


def test_nothing_is_decided_before_there_is_a_list_of_people(
	edge: Edge, clock: Clock, state: SiteState
) -> None:
	with site_desk(edge, state) as desk:
		verbs.set_faults(state, "maintenance", every=1)
		edge.hold(punch("1", 0), punch("stranger", 1))
		desk.work()
		assert desk.states() == [State.RECEIVED, State.RECEIVED]
		assert desk.error is Code.UPSTREAM_ERROR
		verbs.clear_faults(state)
		clock.advance(seconds=10)
		desk.work()
		assert desk.states() == [State.CHECKED_IN, State.UNMAPPED]
		assert desk.error is None


def test_a_list_from_before_is_good_enough_while_the_site_is_away(
	edge: Edge, clock: Clock, state: SiteState
) -> None:
	with site_desk(edge, state) as desk:
		desk.work()
		verbs.set_faults(state, "maintenance", every=1)
		clock.advance(hours=1)
		edge.hold(punch("1", 0), punch("stranger", 1))
		desk.work()
		assert desk.states() == [State.PENDING, State.UNMAPPED]


def test_an_unmapped_punch_finds_its_person_when_somebody_gets_the_id(
	edge: Edge, clock: Clock, state: SiteState
) -> None:
	with site_desk(edge, state) as desk:
		edge.hold(punch("77", 0), punch("78", 1))
		desk.work()
		assert desk.states() == [State.UNMAPPED, State.UNMAPPED]
		verbs.set_device_id(state, "HR-EMP-3", "77")
		asked = state.counters["requests"]
		clock.advance(seconds=PEOPLE_EVERY.total_seconds() - 1)
		desk.work()
		assert (state.counters["requests"], desk.states()[0]) == (asked, State.UNMAPPED)
		clock.advance(seconds=1)
		desk.work()
	assert desk.states() == [State.CHECKED_IN, State.UNMAPPED]
	assert [row["employee"] for row in state.checkins] == ["HR-EMP-3"]


def test_a_list_that_cannot_be_read_does_not_hold_up_check_ins(
	edge: Edge, clock: Clock, ledger: Ledger
) -> None:
	desk = ledger.desk
	desk.work()
	ledger.write("E1,1", "E1,2")  # one employee twice
	clock.advance(minutes=11)
	for minutes in range(0, 300, 5):
		clock.advance(minutes=5)
		edge.hold(punch("1", minutes))
		desk.work()
	assert desk.states() == [State.CHECKED_IN] * 60
	assert desk.error is Code.BAD_VALUE
	ledger.write("E1,1", "E2,2")
	clock.advance(minutes=5)
	desk.work()
	assert desk.error is None


def test_the_shifts_of_a_list_are_those_of_the_configuration(edge: Edge, tmp_path: Path) -> None:
	file = tmp_path / "people.csv"
	file.write_text("employee,attendance_device_id,shift\nE1,1,Day\nE2,2,\n", encoding="utf-8")
	upstream = make_upstream(
		from_mapping(
			{
				"agent": {"timezone": "Asia/Dubai"},
				"upstream": {"kind": "local_ledger", "people_file": str(file)},
				"shifts": [{"name": "Day", "start": "09:00", "end": "17:00"}],
			}
		),
		edge.database,
	)
	assert [person.shift for person in upstream.people()] == ["Day", ""]
	file.write_text("employee,attendance_device_id,shift\nE1,1,Day\nE2,2,Dya\n", encoding="utf-8")
	with pytest.raises(UpstreamError) as refused:
		list(upstream.people())
	assert sentence(refused.value) == (
		f"{file}: line 3, column shift: 'Dya' must be empty or the name of a shift (Day)."
	)


def test_without_any_list_everybody_is_who_their_id_says(edge: Edge) -> None:
	book = SqliteLedger(edge.database)
	desk = Desk(edge, LedgerUpstream(LedgerConfig(), ledger=book), Everybody())
	edge.hold(punch("007", 0), punch("7", 1))
	desk.work()
	assert desk.states() == [State.CHECKED_IN, State.CHECKED_IN]
	assert [entry.employee for entry in book.entries()] == ["7", "007"]


def test_a_prefix_tells_people_with_one_id_apart(edge: Edge, ledger: Ledger) -> None:
	ledger.write("E1,1", "E2,W-1")
	ledger.desk.policies["T2"] = DevicePolicy(user_id_prefix="W-")
	edge.hold(punch("1", 0), punch("1", 1, serial="T2"))
	ledger.desk.work()
	assert [held.employee for held in edge.held()] == ["E1", "E2"]


def test_after_a_new_start_unmapped_punches_are_looked_up_again(
	edge: Edge, clock: Clock, ledger: Ledger
) -> None:
	ledger.write("E1,W-1")
	edge.hold(punch("1", 0))
	ledger.desk.work()
	assert ledger.desk.states() == [State.UNMAPPED]
	# Nobody changed the list; the configuration of the terminal was corrected.
	again = Desk(edge, ledger.upstream)
	again.policies["T1"] = DevicePolicy(user_id_prefix="W-")
	again.work()
	assert again.states() == [State.CHECKED_IN]


# decisions


def test_a_second_punch_within_the_minute_is_an_echo(edge: Edge, ledger: Ledger) -> None:
	edge.hold(punch("1", 0), punch("1", 0.5), punch("1", 60))
	ledger.desk.work()
	assert ledger.desk.states() == [State.CHECKED_IN, State.DUPLICATE, State.CHECKED_IN]
	assert ledger.desk.log_types() == [LogType.IN, None, LogType.OUT]
	assert ledger.book.count() == 2


def test_nothing_is_decided_while_a_terminal_is_catching_up(edge: Edge, ledger: Ledger) -> None:
	desk = ledger.desk
	desk.is_catching_up = True
	edge.hold(punch("1", 30, serial="A"))
	desk.work()
	assert desk.states() == [State.RECEIVED]
	edge.hold(punch("1", 0, serial="B"))
	desk.work()
	desk.is_catching_up = False
	desk.work()
	assert desk.states() == [State.CHECKED_IN, State.CHECKED_IN]
	assert desk.log_types() == [LogType.IN, LogType.OUT]


def test_what_is_decided_already_is_sent_all_the_same(edge: Edge, clock: Clock, state: SiteState) -> None:
	with site_desk(edge, state) as desk:
		desk.work()
		verbs.set_faults(state, "bad-gateway", every=1)
		edge.hold(punch("1", 0))
		desk.work()
		assert desk.states() == [State.PENDING]
		verbs.clear_faults(state)
		desk.is_catching_up = True
		clock.advance(minutes=5)
		desk.work()
		assert desk.states() == [State.CHECKED_IN]


def test_the_role_of_the_terminal_decides(edge: Edge, ledger: Ledger) -> None:
	ledger.desk.policies["T1"] = DevicePolicy(role=DeviceRole.OUT)
	edge.hold(punch("1", 0))
	ledger.desk.work()
	assert ledger.desk.log_types() == [LogType.OUT]


def test_more_punches_than_one_batch(edge: Edge, ledger: Ledger) -> None:
	start = YESTERDAY - timedelta(days=7)
	edge.hold(*(punch("1", 2 * number, start=start) for number in range(4500)))
	ledger.desk.work()
	assert ledger.book.count() == 4500
	log_types = ledger.desk.log_types()
	# The work of one day alternates; a new day begins only after a pause, and there is none.
	assert log_types == [LogType.IN, LogType.OUT] * 2250


def test_late_punches_in_the_repeated_hour_are_decided_by_what_came_before_them(
	edge: Edge, clock: Clock, ledger: Ledger
) -> None:
	berlin = ZoneInfo("Europe/Berlin")

	def at(hour: int, minute: int, fold: int) -> Punch:
		moment = datetime(2026, 10, 25, hour, minute, tzinfo=berlin, fold=fold)
		return Punch(device_serial="T1", device_user_id="1", occurred_at=moment)

	edge.hold(at(2, 0, 1))
	ledger.desk.work()
	assert ledger.desk.log_types() == [LogType.IN]
	# 02:45 in the first pass lies before it, 02:30 in the second pass behind it.
	edge.hold(at(2, 30, 1), at(2, 45, 0))
	ledger.desk.work()
	assert [held.punch.wall_time.minute for held in edge.held()] == [45, 0, 30]
	assert ledger.desk.log_types() == [LogType.IN, LogType.IN, LogType.OUT]


# delivery


def test_the_order_of_a_person_is_kept_whatever_goes_wrong(
	edge: Edge, clock: Clock, state: SiteState
) -> None:
	with site_desk(edge, state, concurrency=3) as desk:
		desk.work()
		for number in range(12):
			edge.hold(*(punch(str(person), 61 * number + person) for person in range(1, 6)))
		verbs.set_faults(state, "deadlock", "bad-gateway-after", "reset-before", every=4)
		rounds = 0
		while set(desk.states()) != {State.CHECKED_IN} and rounds < 400:
			desk.work()
			clock.advance(seconds=20)
			rounds += 1
	assert state.duplicates() == []
	for person in range(1, 6):
		rows = [row for row in state.checkins if row["employee"] == f"HR-EMP-{person}"]
		assert [row["log_type"] for row in rows] == ["IN", "OUT"] * 6
		assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)  # type: ignore[type-var]


def test_a_site_that_says_when_to_come_back_is_left_alone_until_then(
	edge: Edge, clock: Clock, state: SiteState
) -> None:
	with site_desk(edge, state) as desk:
		desk.work()
		state.retry_after = 40
		verbs.set_faults(state, "rate-limit", every=1)
		edge.hold(punch("1", 0))
		desk.work()
		assert desk.error is Code.RATE_LIMITED
		verbs.clear_faults(state)
		asked = state.counters["requests"]
		clock.advance(seconds=39)
		desk.work()
		assert state.counters["requests"] == asked
		clock.advance(seconds=1)
		desk.work()
		assert desk.states() == [State.CHECKED_IN]
		assert desk.error is None


def test_a_refused_token_is_not_tried_over_and_over(edge: Edge, clock: Clock, state: SiteState) -> None:
	with site_desk(edge, state) as desk:
		desk.work()
		verbs.set_faults(state, "token-expired")
		edge.hold(punch("1", 0))
		desk.work()
		assert desk.error is Code.AUTH_FAILED
		asked = state.counters["requests"]
		for _ in range(5):
			clock.advance(seconds=100)
			desk.work()
		assert state.counters["requests"] == asked
		verbs.clear_faults(state)
		clock.advance(seconds=LONGEST_PAUSE.total_seconds() - 500)
		desk.work()
		assert desk.states() == [State.CHECKED_IN]


def test_nothing_is_sent_to_a_site_that_is_not_ready(edge: Edge, clock: Clock, state: SiteState) -> None:
	state.time_zone = "Europe/Berlin"
	with site_desk(edge, state) as desk:
		edge.hold(punch("1", 0))
		desk.work()
		assert (desk.error, desk.states(), state.checkins) == (Code.NOT_READY, [State.PENDING], [])
		state.time_zone = ZONE.key
		clock.advance(seconds=10)
		desk.work()
		assert (desk.states(), desk.error) == ([State.CHECKED_IN], None)


def test_a_site_that_has_become_ready_is_no_error_though_nothing_is_to_be_sent(
	edge: Edge, clock: Clock, state: SiteState
) -> None:
	state.time_zone = "Europe/Berlin"
	with site_desk(edge, state) as desk:
		desk.work()
		assert desk.error is Code.NOT_READY
		state.time_zone = ZONE.key
		clock.advance(seconds=10)
		desk.work()
		assert desk.error is None


def test_pauses_grow_and_end_although_our_clock_is_set_back(
	edge: Edge, clock: Clock, state: SiteState
) -> None:
	with site_desk(edge, state) as desk:
		desk.work()
		verbs.set_faults(state, "token-expired")
		edge.hold(punch("1", 0))
		desk.work()
		verbs.clear_faults(state)
		clock.advance(days=-1)
		desk.work()
		assert desk.states() == [State.CHECKED_IN]


def test_people_are_fetched_again_although_our_clock_was_set_back(
	edge: Edge, clock: Clock, state: SiteState
) -> None:
	with site_desk(edge, state) as desk:
		desk.work()
		asked = state.counters["requests"]
		clock.advance(days=-1)
		desk.work()
		assert state.counters["requests"] > asked


# the thread


def test_a_call_wakes_it_up(edge: Edge, ledger: Ledger) -> None:
	uploader = ledger.desk.uploader
	with running(uploader):
		eventually(lambda: edge.roster.refreshed_at)
		time.sleep(0.1)  # it has fallen asleep, for five seconds
		edge.hold(punch("1", 0))
		called_at = time.monotonic()
		uploader.wake()
		eventually(lambda: ledger.book.count() == 1)
		assert time.monotonic() - called_at < 2


def test_without_a_call_it_looks_by_itself(
	edge: Edge, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr("attendance_bridge.edge.uploader.LOOKS_WHILE_IDLE", 2)
	with running(ledger.desk.uploader):
		eventually(lambda: edge.roster.refreshed_at)
		edge.hold(punch("1", 0))
		eventually(lambda: ledger.book.count() == 1)


def test_it_stops_while_it_sleeps(edge: Edge, ledger: Ledger) -> None:
	with running(ledger.desk.uploader) as handle:
		eventually(lambda: edge.roster.refreshed_at)
		assert handle.stop() < 1


def test_whoever_watches_is_told(edge: Edge, ledger: Ledger) -> None:
	seen = edge.pulse.wait(-1, 0)
	edge.hold(punch("1", 0))
	ledger.desk.work()
	now = edge.pulse.wait(-1, 0)
	assert now > seen
	ledger.desk.work()
	assert edge.pulse.wait(-1, 0) == now
