"""A whole working day of forty simulated terminals, with faults that a seed draws, on every road at once.

One agent as it is run reads and listens to Hikvision and ZKTeco terminals and is pushed to by others. The
clock is turned by hand, for the agent and for every terminal, so that a day takes seconds; people pass in the
order in which they did. At the end every real punch is one check-in, every refused one is explained, what a
terminal was told to forget is held, and no watermark has passed a punch that is not here.
"""

from __future__ import annotations

import csv
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.projection import State
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.listener import Standing
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.simulators import workforce
from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState, Dialect
from attendance_bridge.simulators.adms_terminal import verbs as adms_verbs
from attendance_bridge.simulators.adms_terminal.rows import User
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.hikvision.hosts import HttpHost
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from attendance_bridge.simulators.workforce import Identification
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from attendance_bridge.stores.held import HeldPunch
from attendance_bridge.stores.ledger import SqliteLedger
from tests.edge.rig import ZONE, Clock

SEEDS = (1, 8)
TERMINALS = 40
PEOPLE = 250
TOKEN = "t0ken-of-the-back-door"
STEP = timedelta(seconds=90)
TOLERANCE = timedelta(minutes=15)
"""What a terminal's clock may be off: more than the clock is turned while somebody looks at one."""
POLL_EVERY = timedelta(hours=3)
WRONG_BY = timedelta(hours=1)

HIKVISION_FAULTS = (
	"bare-parts",
	"few-rows",
	"gap-page",
	"missed-alerts",
	"no-serial-window",
	"no-total",
	"old-namespace",
	"one-row-object",
	"replay-all",
	"replayed-history",
	"stream-drops",
	"stream-half-part",
	"stream-no-boundary",
	"stream-odd-pieces",
	"stream-silent",
	"xml-alerts",
)
POST_FAULTS = (
	"bare-posts",
	"hosts-drop-url",
	"hosts-forget",
	"hosts-never-deliver",
	"hosts-no-boundary",
	"hosts-replay",
)
"""Of terminals that post to a listener and are not listened to."""
ZKTECO_FAULTS = (
	"event-drops",
	"event-pieces",
	"half-user",
	"joined-events",
	"missed-events",
	"one-connection",
	"other-events",
	"punch-255",
	"short-read",
)
ADMS_FAULTS = (
	"answer-lost",
	"gb-names",
	"half-body",
	"keep-alive",
	"no-content-type",
	"odd-tables",
	"replay",
	"slow-body",
)

Key = tuple[str, str, datetime]
"""Serial number, id, wall time."""


@dataclass
class Station:
	"""One terminal, whichever its kind."""

	serial: str
	record: Callable[[Identification], None]
	expected: Callable[[], set[tuple[str, datetime]]]
	passes: list[Identification] = field(default_factory=list)
	config: dict[str, Any] | None = None
	"""As the agent knows it; None: it does not."""
	acknowledged: Callable[[], set[tuple[str, datetime]]] = set
	has_right_clock: bool = True
	ahead: timedelta = timedelta(0)
	"""How far its display is ahead of what it would be."""

	def truth(self) -> set[Key]:
		return {(self.serial, *key) for key in self.expected()}


class Day:
	def __init__(self, seed: int) -> None:
		self.chance = random.Random(seed)
		yesterday = datetime.now(ZONE).date() - timedelta(days=1)
		self.begin = datetime.combine(yesterday, datetime.min.time(), ZONE).astimezone(timezone.utc)
		self.clock = Clock(self.begin)
		self.factory = workforce.build(PEOPLE, 1, seed, yesterday)
		self.stations: list[Station] = []
		self.stack = ExitStack()
		self.adms: list[AdmsState] = []
		self.posting: list[HikvisionState] = []
		self.events: list[tuple[timedelta, Callable[[], None]]] = []
		"""What happens besides punches: (after the beginning, what)."""
		self.receiver_port = 0
		"""Of the agent, once there is one."""

	def faults(self, of: tuple[str, ...]) -> set[str]:
		"""One terminal in four is sound, most of the others have one fault, some have two."""
		return set(self.chance.sample(of, self.chance.choice((0, 1, 1, 2))))

	def at(self, hours: float, act: Callable[[], None]) -> None:
		self.events.append((timedelta(hours=hours), act))

	def build(self) -> None:
		for number in range(1, TERMINALS + 1):
			kind = (self.hikvision, self.zkteco, self.push_2, self.hikvision, self.zkteco, self.push_3)
			station = kind[number % len(kind)](number)
			station.passes = list(self.factory.at_terminal(number, TERMINALS))
			self.stations.append(station)
		self.events.sort(key=lambda event: event[0])

	# the kinds of terminals

	def hikvision(self, number: int) -> Station:
		posts = number % 9 == 0
		faults = self.faults(POST_FAULTS if posts else HIKVISION_FAULTS)
		state = HikvisionState(serial=f"HIK{number:03d}", zone=ZONE, faults=faults, now=self.clock)
		for worker in self.factory.workers:
			hikvision_verbs.enroll(state, worker.device_user_id, worker.full_name)
		state.heartbeat_seconds = 0.5
		if posts:
			self.posting.append(state)
			self.at(0.5, lambda: self.set_up_posts(state))
		terminal = self.stack.enter_context(HikvisionTerminal(state))
		if number == 6:
			self.at(12, terminal.stop)
		elif number == 12:
			self.at(10, terminal.stop)
			self.at(15, terminal.start)
		elif number % 4 == 0:
			self.at(self.chance.uniform(7, 20), lambda: terminal.reboot(0.05))
		config = {
			"driver": "hikvision_isapi",
			"port": terminal.port,
			"user": USER,
			"password_env": "DAY_PASSWORD",
			"live": not posts,
		}

		def record(one: Identification) -> None:
			hikvision_verbs.punch(
				state, one.device_user_id, one.verify_mode, one.device_key, one.wall_time.replace(tzinfo=ZONE)
			)

		return Station(state.serial, record, lambda: set(state.expected()), config=config)

	def set_up_posts(self, state: HikvisionState) -> None:
		"""As somebody would at the page of the terminal."""
		host = HttpHost(
			id=1,
			url=f"/hikvision/{TOKEN}/{state.serial}",
			format=self.chance.choice(("JSON", "XML")),
			address="127.0.0.1",
			port=self.receiver_port,
		)
		with state.lock:
			slot = replace(host, url="/") if "hosts-drop-url" in state.faults else host
			state.write_hosts([slot])

	def zkteco(self, number: int) -> Station:
		state = ZktecoState(
			serial=f"ZK{number:03d}", zone=ZONE, faults=self.faults(ZKTECO_FAULTS), now=self.clock
		)
		for worker in self.factory.workers:
			state.add_user(worker.device_user_id, name=worker.full_name)
		terminal = self.stack.enter_context(ZktecoTerminal(state))
		state.reboot_seconds = 0.05
		is_wrong = number in (4, 10)
		if number == 4:
			state.faults.add("wrong-clock")
		elif number % 4 == 2:
			self.at(self.chance.uniform(7, 20), lambda: state.faults.add("reboot"))
		station = Station(
			state.serial,
			lambda one: None,
			state.expected,
			config={"driver": "zkteco_tcp", "port": terminal.port},
			has_right_clock=not is_wrong,
			ahead=WRONG_BY if number == 4 else timedelta(0),
		)

		def jump() -> None:
			state.set_clock(state.wall_now() + 2 * WRONG_BY)
			station.ahead = 2 * WRONG_BY

		def record(one: Identification) -> None:
			if state.find_user(one.device_user_id) is None:
				state.add_user(one.device_user_id)
			state.record(one.device_user_id, one.wall_time + station.ahead, one.verify_mode, one.device_key)

		if number == 10:
			self.at(13, jump)
		station.record = record
		return station

	def push_2(self, number: int) -> Station:
		return self.push(number, Dialect.ATTENDANCE)

	def push_3(self, number: int) -> Station:
		return self.push(number, Dialect.SECURITY)

	def push(self, number: int, dialect: Dialect) -> Station:
		# Two terminals bear one serial number.
		serial = "ADMS008" if number == 14 else f"ADMS{number:03d}"
		state = AdmsState(
			serial=serial,
			dialect=dialect,
			prefix=f"/{TOKEN}",
			faults=self.faults(ADMS_FAULTS),
			now=self.clock,
		)
		# The server's Date would be the time at which the test runs.
		state.clock.follows_date = False
		state.backlog_as_transactions = self.chance.random() < 0.5
		state.attlog_columns = self.chance.choice((5, 7, 10, 11))
		for worker in self.factory.workers:
			state.put_user(User(worker.device_user_id, worker.full_name))
		config: dict[str, Any] | None = {"driver": "zkteco_adms", "serial": serial}
		if number == 20:
			config = None  # nobody has paired it
		elif number == 26:
			state.faults = {"wrong-token"}
		elif number == 32:
			self.at(11, lambda: adms_verbs.unplug(state))
			self.at(16, lambda: adms_verbs.plug_in(state))
		self.adms.append(state)

		def record(one: Identification) -> None:
			if state.find_user(one.device_user_id) is None:
				state.put_user(User(one.device_user_id))
			state.record(one.device_user_id, one.wall_time, one.verify_mode, one.device_key)

		return Station(serial, record, state.expected, config=config, acknowledged=state.acknowledged)

	# the agent

	def mapping(self, folder: Path) -> dict[str, Any]:
		people = folder / "people.csv"
		with people.open("w", encoding="utf-8", newline="") as file:
			writer = csv.writer(file)
			writer.writerow(("employee", "attendance_device_id", "full_name", "status"))
			for worker in self.factory.workers:
				writer.writerow((worker.employee, worker.device_user_id, worker.full_name, worker.status))
		devices: dict[str, dict[str, Any]] = {}
		for station in self.stations:
			if station.config is None:
				continue
			device = {"name": station.serial, "timezone": ZONE.key, "role": "both", **station.config}
			if station.config["driver"] != "zkteco_adms":
				device = {
					"host": "127.0.0.1",
					"poll_seconds": POLL_EVERY.total_seconds(),
					"live": True,
				} | device
			devices[station.serial] = device
		return {
			"agent": {"name": "Day", "database": str(folder / "day.db"), "listeners": TERMINALS},
			"upstream": {"kind": "local_ledger", "people_file": str(people)},
			"web": {"enabled": False},
			"rules": {"clock_tolerance_seconds": TOLERANCE.total_seconds()},
			"receiver": {
				"enabled": True,
				"host": "127.0.0.1",
				"port": 0,
				"token_env": "DAY_TOKEN",
			},
			"devices": list(devices.values()),
		}

	def in_order(self) -> Iterator[tuple[datetime, Callable[[], None]]]:
		"""Everything that happens, with the true moment of it."""
		happening: list[tuple[datetime, int, Callable[[], None]]] = []
		for after, act in self.events:
			happening.append((self.begin + after, len(happening), act))
		for station in self.stations:
			moment = self.begin
			for one in station.passes:
				# A clock that stands in the year 2000 or 2099 does not say when.
				shown = one.wall_time.replace(tzinfo=ZONE).astimezone(timezone.utc)
				if abs(shown - self.begin) < timedelta(days=2):
					moment = max(moment, shown)
				happening.append((moment, len(happening), partial(station.record, one)))
		for moment, _, act in sorted(happening, key=lambda each: each[:2]):
			yield moment, act


class Hand:
	"""Turns the clock, and not while somebody looks at one."""

	def __init__(self, day: Day, agent: Agent) -> None:
		self.day = day
		self.agent = agent

	def turn_to(self, moment: datetime) -> None:
		clock = self.day.clock
		while clock() < moment:
			self.rest()
			step = min(STEP, moment - clock())
			clock.advance(seconds=step.total_seconds())

	def rest(self) -> None:
		"""Until no terminal is being read and none is being called up."""
		end = time.monotonic() + 20
		while self._is_looking() and time.monotonic() < end:
			time.sleep(0.002)

	def _is_looking(self) -> bool:
		live = self.agent.listener.states.values()
		# Nothing public tells of a terminal that is being read and has brought no page yet.
		return bool(self.agent.poller._reading) or any(each.standing is Standing.CONNECTING for each in live)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(150)
def test_a_working_day(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("DAY_PASSWORD", PASSWORD)
	monkeypatch.setenv("DAY_TOKEN", TOKEN)
	began = time.monotonic()
	day = Day(seed)
	with day.stack:
		day.build()
		agent = Agent(from_mapping(day.mapping(tmp_path)), now=day.clock)
		assert agent.receiver is not None
		day.receiver_port = agent.receiver.port
		agent.start()
		try:
			_live_through(day, agent)
			_judge(day, agent)
		finally:
			agent.request_stop()
			agent.wait()
			agent.close()
	assert time.monotonic() - began < 120


def _live_through(day: Day, agent: Agent) -> None:
	hand = Hand(day, agent)
	with AdmsFleet(port=day.receiver_port, pace=0.005) as fleet:
		for state in day.adms:
			fleet.add(state)
		stormed = False
		for moment, act in day.in_order():
			if not stormed and moment >= day.begin + timedelta(hours=13):
				stormed = True
				adms_verbs.boot_storm(day.adms)
			hand.turn_to(moment)
			act()
		_bring_home(day, agent, hand)
		# Whoever pushes is known to be alive only while it calls.
		fleet.stop()


def _bring_home(day: Day, agent: Agent, hand: Hand) -> None:
	"""The evening: everything that can still come, comes."""
	wanted = _reachable(day)
	end = time.monotonic() + 45
	while time.monotonic() < end:
		hand.turn_to(day.clock() + timedelta(minutes=10))
		counts = agent.punches.counts()
		waiting = counts[State.RECEIVED] + counts[State.PENDING]
		if not waiting and wanted <= _held(agent).keys():
			return
		time.sleep(0.05)
	missing = wanted - _held(agent).keys()
	raise AssertionError(f"{len(missing)} of {len(wanted)} not held: {_by_station(missing)}")


def _held(agent: Agent) -> dict[Key, HeldPunch]:
	return {
		(each.punch.device_serial, each.punch.device_user_id, each.punch.wall_time): each
		for each in agent.punches.each()
	}


def _reachable(day: Day) -> set[Key]:
	"""Every punch of terminals that the agent knows and that have not gone dark for good."""
	dark = {"HIK006"}
	shut_out = {"ADMS020", "ADMS026"}
	return {
		key for station in day.stations if station.serial not in dark | shut_out for key in station.truth()
	}


def _judge(day: Day, agent: Agent) -> None:
	held = _held(agent)
	truth = {key for station in day.stations for key in station.truth()}
	assert len(truth) > PEOPLE
	# Nothing lost, nothing made up, nothing doubled.
	assert _reachable(day) <= held.keys() <= truth
	assert sum(agent.punches.counts().values()) == len(held)

	# Each is one check-in, or it is explained.
	checked_in = [each for each in held.values() if each.state is State.CHECKED_IN]
	entries = SqliteLedger(agent.database).entries(limit=10_000)
	assert Counter(entry.punch_id for entry in entries) == Counter(each.punch.punch_id for each in checked_in)
	for key, each in held.items():
		if each.state is not State.CHECKED_IN:
			assert each.state in (State.DUPLICATE, State.UNMAPPED, State.QUARANTINED, State.REJECTED), (
				key,
				each,
			)
			assert each.state_reason or each.error_code, (key, each)
	_check_that_the_undisputed_are_checked_in(day, held)

	# What a terminal was told to forget is held; who may not push was told nothing.
	for station in day.stations:
		told = {(station.serial, *key) for key in station.acknowledged()}
		assert told <= held.keys()
		if station.serial in ("ADMS020", "ADMS026"):
			assert not told
	assert "ADMS020" in {caller.serial for caller in agent.pairing.callers()}

	_check_watermarks(day, agent, held)
	# The live roads were in use, and broke.
	live = agent.listener.states.values()
	assert sum(each.events for each in live) > 50
	assert sum(each.gaps for each in live) > 3
	assert any(state.counters["again"] for state in day.adms)
	assert sum(state.counters.delivered for state in day.posting) > 10


def _check_that_the_undisputed_are_checked_in(day: Day, held: dict[Key, HeldPunch]) -> None:
	"""People whom the list knows, at terminals whose clock is right, not within a minute of their last
	pass."""
	active = {worker.device_user_id for worker in day.factory.workers if worker.status == "Active"}
	wrong = {station.serial for station in day.stations if not station.has_right_clock}
	today = day.begin.astimezone(ZONE).date()
	times: dict[str, list[datetime]] = {}
	for _, user_id, wall_time in held:
		times.setdefault(user_id, []).append(wall_time)
	left_out = []
	for (serial, user_id, wall_time), each in held.items():
		others = [abs((wall_time - other).total_seconds()) for other in times[user_id] if other != wall_time]
		is_echo = any(gap <= 60 for gap in others) or times[user_id].count(wall_time) > 1
		if user_id in active and serial not in wrong and wall_time.date() == today and not is_echo:
			left_out += [each] if each.state is not State.CHECKED_IN else []
	assert left_out == []


def _check_watermarks(day: Day, agent: Agent, held: dict[Key, HeldPunch]) -> None:
	"""Nobody is vouched for past a punch that is not here."""
	watermarks = agent.cursors.watermarks()
	assert "HIK006" in watermarks
	for station in day.stations:
		watermark = watermarks.get(station.serial)
		if watermark is None or not station.has_right_clock:
			continue
		missing = [wall for serial, _, wall in station.truth() if (serial, _, wall) not in held]
		passed = [wall for wall in missing if wall.replace(tzinfo=ZONE) <= watermark]
		assert passed == [], station.serial
	dark_since = day.begin + timedelta(hours=12)
	assert watermarks["HIK006"] <= dark_since


def _by_station(keys: set[Key]) -> dict[str, int]:
	return dict(sorted(Counter(serial for serial, _, _ in keys).items()))
