"""A whole working day of forty simulated terminals on the real site, with faults that a seed draws.

Some are read by the site, some push to its web workers, some are relayed by an agent. The clock of all of
them and of the site is turned by hand, so that a day takes seconds. At the end every real punch is one
check-in, every other one is explained, and at no time was a shift judged past a punch that was not here yet.

`ATTENDANCE_BRIDGE_DAY_SEED` draws another day.

One day told from its beginning to its end, with all that may befall a terminal in it: that makes it so long.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import frappe

from attendance_bridge.bench import agents, background, devices, jobs, moments
from attendance_bridge.bench.sent_fields import spell_moment
from attendance_bridge.bench.testing import IntegrationTestCase
from attendance_bridge.bench.tests import agents_at_work, premises, pushers, terminals
from attendance_bridge.bench.tests.site_server import Caller, SiteServer
from attendance_bridge.bench.tests.turned_clock import TurnedClock
from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.driver import read_clock
from attendance_bridge.core.errors import DeviceError
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.core.watermark import watermark_after_pull
from attendance_bridge.simulators import workforce
from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState, Dialect
from attendance_bridge.simulators.adms_terminal import verbs as adms_verbs
from attendance_bridge.simulators.adms_terminal.rows import User
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.workforce import Identification
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal

SEED = int(os.environ.get("ATTENDANCE_BRIDGE_DAY_SEED", "1"))
TERMINALS, PEOPLE = 40, 45
PREFIX = "ABT-"
"""Keeps the ids of these terminals apart from those that the site has already."""
TOKEN = "t0ken-of-the-back-door"  # of simulated terminals
ZONE = terminals.ZONE
STEP = timedelta(minutes=4)
TICK_EVERY = timedelta(minutes=28)
READ_EVERY = timedelta(hours=8)
TOLERANCE = timedelta(minutes=15)
"""What a terminal's clock may be off: more than the clock is turned at once."""
WATCHED_HOURS = (9.5, 13.5, 18.5, 23.3)
"""When whoever pushes calls without a break, and earns a watermark."""
WATCHED_FOR = timedelta(minutes=28)
PATIENCE_SECONDS = 20.0

HIKVISION_FAULTS = (
	"few-rows",
	"gap-page",
	"more-empty",
	"no-serial-window",
	"no-total",
	"old-namespace",
	"one-row-object",
	"replayed-history",
)
ZKTECO_FAULTS = ("half-user", "one-connection", "punch-255", "short-read")
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
UNPAIRED, WRONG_TOKEN, TWIN, TWINS_OTHER = 34, 38, 18, 26
DARK_FROM = {4: 12.0, 2: 11.0, 3: 12.5}
"""One that is read, one that pushes, one that is relayed: the hour from which it is never seen again."""
SHIFTS: dict[str, tuple[int, ...]] = {
	"Gate": (8, 16, 9, 17, 22, 30, 11, 15),
	"Dark Read": (4, 8, 22),
	"Dark Pushing": (2, 16),
	"Dark Relayed": (3, 11),
	"Back Again": (12, 10, 7),
	"Unsound": (5, 13, 14, TWINS_OTHER),
}
HEALTHY_SHIFT = "Gate"
FORGOTTEN = 6
"""Every third answer to it gets lost, whatever faults are drawn."""
VISITS = ((8, 11), (FORGOTTEN, 9), (FORGOTTEN, 12), (FORGOTTEN, 15))
"""Terminal and hour at which somebody passes whom nobody knows: not every seed draws a visitor."""

_COLUMNS = (
	*("name", "device_serial", "device_user_id", "wall_time", "occurred_at"),
	*("status", "status_reason", "employee", "employee_checkin"),
)

Key = tuple[str, str, datetime]
"""Serial number, id, wall time."""


@dataclass
class Station:
	"""One terminal, whichever its kind."""

	number: int
	serial: str
	record: Callable[[Identification], None]
	expected: Callable[[], set[tuple[str, datetime]]]
	device: str | None = None
	"""Name of its Device Configuration; None: it is not known to the site."""
	acknowledged: Callable[[], set[tuple[str, datetime]]] = set
	moments_of: dict[Key, datetime] = field(default_factory=dict)
	"""When each punch was really made, whatever the terminal's clock said; aware."""

	def take(self, one: Identification, moment: datetime) -> None:
		before = self.truth()
		self.record(one)
		self.moments_of.update(dict.fromkeys(self.truth() - before, moment))

	def truth(self) -> set[Key]:
		return {(self.serial, *key) for key in self.expected()}


class Relay:
	"""An agent as the site knows it: it reads its terminals with the drivers, and speaks the agent API."""

	def __init__(self, caller: Caller, stations: Iterable[Station], chance: random.Random) -> None:
		self.caller = caller
		self.stations = list(stations)
		self.chance = chance
		self.is_offline = False
		self.waiting: dict[str, dict[str, Any]] = {}
		"""By punch_id, as they are sent."""
		self.told_held: set[str] = set()
		self._cursors: dict[str, Cursor] = {}
		self._reports: dict[str, dict[str, Any]] = {}

	def read_all(self) -> None:
		for station in self.stations:
			with suppress(DeviceError):  # dark: the report of before stands
				self._read(station)

	def _read(self, station: Station) -> None:
		name = str(station.device)
		started_at, rules = moments.utc_now(), devices.rules().clock
		with devices.open_driver(name) as driver:
			info, reading = driver.identify(), read_clock(driver)
			for page in driver.fetch(self._cursors.get(name, START)):
				for punch in page.punches:
					sent = agents_at_work.spell(punch, device=name)
					if reading is not None:
						offset = reading.offset.total_seconds()
						sent["clock"] = {
							"read_at": spell_moment(reading.taken_at),
							"offset_seconds": offset,
						}
					if sent["punch_id"] not in self.told_held:
						self.waiting[sent["punch_id"]] = sent
				self._cursors[name] = page.cursor
		watermark = watermark_after_pull(started_at, reading, rules)
		self._reports[name] = {
			"name": name,
			"serial": info.serial,
			"last_contact": spell_moment(started_at),
			"last_pull": spell_moment(started_at),
			"watermark": spell_moment(watermark) if watermark else None,
		}

	def report(self) -> None:
		"""Send what waits, some of it twice and out of order, and the heartbeat."""
		if self.is_offline:
			return
		batch = list(self.waiting.values())
		self.chance.shuffle(batch)
		for start in range(0, len(batch), 40):
			part = batch[start : start + 40]
			if self.chance.random() < 0.3:
				self._send(part)  # the answer is lost
			self._note(self._send(part))
		oldest = min((_moment_of(each) for each in self.waiting.values()), default=None)
		self.caller.post(
			"attendance_bridge.api.edge.heartbeat",
			version="0.1.0",
			waiting=len(self.waiting),
			oldest_waiting=spell_moment(oldest) if oldest else None,
			devices=list(self._reports.values()),
		).raise_for_status()

	def _send(self, part: list[dict[str, Any]]) -> list[dict[str, Any]]:
		answer = self.caller.post("attendance_bridge.api.ingest.punches", punches=part)
		answer.raise_for_status()
		receipts: list[dict[str, Any]] = answer.json()["message"]["receipts"]
		return receipts

	def _note(self, receipts: list[dict[str, Any]]) -> None:
		for receipt in receipts:
			if receipt["outcome"] != "retry":
				self.told_held.add(receipt["punch_id"])
				self.waiting.pop(receipt["punch_id"], None)


def _moment_of(sent: dict[str, Any]) -> datetime:
	return datetime.fromisoformat(sent["wall_time"]).replace(tzinfo=ZONE)


def _hire(workers: Iterable[workforce.Worker]) -> None:
	"""Everybody as an Employee: copies of one, for a new one takes its time."""
	model = frappe.db.get_value("Employee", premises.employee(0), "*", as_dict=True)
	people = [
		{
			**model,
			"name": f"{premises.MARK}-EMP-{number:05d}",
			"employee": f"{premises.MARK}-EMP-{number:05d}",
			"employee_number": f"{premises.MARK}-{number:05d}",
			"attendance_device_id": PREFIX + worker.device_user_id,
			# Somebody who left is turned away like who is inactive, and needs a relieving date.
			"status": "Active" if worker.status == "Active" else "Inactive",
		}
		for number, worker in enumerate(workers, start=1)
	]
	frappe.db.bulk_insert("Employee", list(model), [tuple(person.values()) for person in people])


class TestFleetDay(IntegrationTestCase):
	@classmethod
	def setUpClass(cls) -> None:
		super().setUpClass()
		cls._clear()
		cls.addClassCleanup(cls._clear)
		cls.yesterday = datetime.now(ZONE).date() - timedelta(days=1)
		cls.begin = datetime.combine(cls.yesterday, datetime.min.time(), ZONE).astimezone(timezone.utc)
		cls.factory = workforce.build(PEOPLE, 1, SEED, cls.yesterday)
		_hire(cls.factory.workers)
		for shift in SHIFTS:
			premises.shift_type(shift, "08:00:00", "17:00:00")
		frappe.db.commit()
		before = frappe.db.get_single_value("Attendance Bridge Settings", "clock_tolerance")
		cls.addClassCleanup(pushers.settings, clock_tolerance=before, push_requests_a_minute=240)
		pushers.settings(
			push_enabled=1,
			push_token=TOKEN,
			clock_tolerance=TOLERANCE.total_seconds(),
			pairing_open_until=moments.to_site(cls.begin) + timedelta(hours=12),
		)

	@staticmethod
	def _clear() -> None:
		agents_at_work.clear()
		pushers.clear()

	def setUp(self) -> None:
		self.chance = random.Random(SEED)  # draws faults
		folder = tempfile.TemporaryDirectory()
		self.addCleanup(folder.cleanup)
		self.clock = TurnedClock(Path(folder.name) / "clock")
		self.addCleanup(self.clock.close)
		self.clock.turn_to(self.begin)
		turned = patch.object(moments, "datetime", self.clock.as_datetime())
		turned.start()
		self.addCleanup(turned.stop)
		self.server = SiteServer(
			application=f"attendance_bridge.bench.tests.turned_clock:application({str(self.clock.path)!r})"
		)
		self.addCleanup(self.server.stop)
		self.events: list[tuple[datetime, Callable[[], None]]] = []
		self.pushing: list[AdmsState] = []
		self.stations: list[Station] = []
		self._build()

	# the terminals

	def _build(self) -> None:
		agent = agents_at_work.agent()
		self.agent = agent.name
		kinds = (
			*(self._hikvision, self._zkteco, self._push_2, self._relayed_zkteco),
			*(self._hikvision, self._zkteco, self._push_3, self._relayed_hikvision),
		)
		for number in range(1, TERMINALS + 1):
			station = kinds[number % len(kinds)](number)
			self.stations.append(station)
			happened = self.begin
			for one in self.factory.at_terminal(number, TERMINALS):
				shown = one.wall_time.replace(tzinfo=ZONE).astimezone(timezone.utc)
				# A clock that stands in the year 2000 or 2099 does not say when.
				if abs(shown - self.begin) < timedelta(days=2):
					happened = max(happened, shown)
				self.events.append((happened, partial(station.take, one, happened)))
		self._let_a_visitor_in()
		relayed = [station for station in self.stations if station.number % 8 in (3, 7)]
		key = agents.make_api_key(self.agent)
		frappe.db.commit()
		self.relay = Relay(Caller(self.server, key), relayed, self.chance)
		self._at(10, lambda: setattr(self.relay, "is_offline", True))
		self._at(14.2, lambda: setattr(self.relay, "is_offline", False))
		self._at(13, lambda: adms_verbs.boot_storm(self.pushing))
		self.events.sort(key=lambda event: event[0])

	def _let_a_visitor_in(self) -> None:
		for number, hours in VISITS:
			visitor = Identification(
				device_user_id="89999",
				wall_time=datetime.combine(self.yesterday, datetime.min.time()) + timedelta(hours=hours),
				verify_mode=VerifyMode.CARD,
				device_key=DeviceKey.UNDEFINED,
			)
			moment = self.begin + timedelta(hours=hours)
			self.events.append((moment, partial(self.stations[number - 1].take, visitor, moment)))

	def _at(self, hours: float, act: Callable[[], None]) -> None:
		self.events.append((self.begin + timedelta(hours=hours), act))

	def _faults(self, of: tuple[str, ...]) -> set[str]:
		"""One terminal in four is sound, most of the others have one fault, some have two."""
		return set(self.chance.sample(of, self.chance.choice((0, 1, 1, 2))))

	def _values(self, number: int, **values: Any) -> dict[str, Any]:
		return {
			"device_name": f"{premises.MARK} Terminal {number:02d}",
			"user_id_prefix": PREFIX,
			"poll_interval": READ_EVERY // timedelta(minutes=1),
			"shifts": [f"{premises.MARK} {name}" for name, served in SHIFTS.items() if number in served],
			**values,
		}

	def _hikvision(self, number: int, **values: Any) -> Station:
		state = HikvisionState(
			serial=f"{premises.MARK}HIK{number:03d}",
			zone=ZONE,
			faults=self._faults(HIKVISION_FAULTS),
			now=self.clock,
		)
		for worker in self.factory.workers:
			hikvision_verbs.enroll(state, worker.device_user_id, worker.full_name)
		terminal = HikvisionTerminal(state)
		terminal.start()
		self.addCleanup(terminal.stop)
		if number in DARK_FROM:
			self._at(DARK_FROM[number], terminal.stop)
		elif number in (7, 12):
			self._at(10, terminal.stop)
			self._at(15, terminal.start)
		device = terminals.hikvision(terminal.port, **self._values(number, **values))

		def record(one: Identification) -> None:
			hikvision_verbs.punch(
				state, one.device_user_id, one.verify_mode, one.device_key, one.wall_time.replace(tzinfo=ZONE)
			)

		return Station(number, state.serial, record, lambda: set(state.expected()), device)

	def _relayed_hikvision(self, number: int) -> Station:
		return self._hikvision(number, edge_agent=self.agent)

	def _zkteco(self, number: int, **values: Any) -> Station:
		state = ZktecoState(
			serial=f"{premises.MARK}ZK{number:03d}",
			zone=ZONE,
			faults=self._faults(ZKTECO_FAULTS),
			now=self.clock,
		)
		for worker in self.factory.workers:
			state.add_user(worker.device_user_id, name=worker.full_name)
		terminal = ZktecoTerminal(state)
		terminal.start()
		self.addCleanup(terminal.stop)
		state.reboot_seconds = 0.05
		if number in DARK_FROM:
			self._at(DARK_FROM[number], terminal.stop)
		elif number == 5:
			state.faults.add("wrong-clock")
		elif number == 13:
			self._at(13, lambda: state.set_clock(state.wall_now() + timedelta(hours=2)))
		elif number % 4 == 1:
			self._at(self.chance.uniform(7, 20), lambda: state.faults.add("reboot"))
		device = terminals.zkteco(terminal.port, **self._values(number, **values))

		def record(one: Identification) -> None:
			if state.find_user(one.device_user_id) is None:
				state.add_user(one.device_user_id)
			ahead = state.wall_now() - _wall(self.clock())
			ahead = ahead if ahead > STEP else timedelta(0)
			state.record(one.device_user_id, one.wall_time + ahead, one.verify_mode, one.device_key)

		return Station(number, state.serial, record, state.expected, device)

	def _relayed_zkteco(self, number: int) -> Station:
		return self._zkteco(number, edge_agent=self.agent)

	def _push_2(self, number: int) -> Station:
		return self._push(number, Dialect.ATTENDANCE)

	def _push_3(self, number: int) -> Station:
		return self._push(number, Dialect.SECURITY)

	def _push(self, number: int, dialect: Dialect) -> Station:
		serial = pushers.serial(TWINS_OTHER if number == TWIN else number)
		state = AdmsState(
			serial=serial,
			dialect=dialect,
			prefix=f"/{TOKEN}",
			faults=self._faults(ADMS_FAULTS),
			now=self.clock,
		)
		state.clock.follows_date = False
		state.backlog_as_transactions = self.chance.random() < 0.5
		state.attlog_columns = self.chance.choice((5, 7, 10, 11))
		for worker in self.factory.workers:
			state.put_user(User(worker.device_user_id, worker.full_name))
		device = None
		if number not in (UNPAIRED, TWIN):
			values = self._values(number)
			values["shifts"] = [{"shift_type": shift} for shift in values["shifts"]]
			device = pushers.terminal(number, **values)
		if number == WRONG_TOKEN:
			state.faults = {"wrong-token"}
		elif number == FORGOTTEN:
			state.faults.add("answer-lost")
		elif number in DARK_FROM:
			self._at(DARK_FROM[number], lambda: adms_verbs.unplug(state))
		elif number == 10:
			self._at(11, lambda: adms_verbs.unplug(state))
			self._at(16, lambda: adms_verbs.plug_in(state))
		elif number == 14:
			self._at(14, lambda: adms_verbs.jump_clock(state, timedelta(hours=2)))
		self.pushing.append(state)

		def record(one: Identification) -> None:
			if state.find_user(one.device_user_id) is None:
				state.put_user(User(one.device_user_id))
			shown = one.wall_time + state.clock.ahead
			state.record(one.device_user_id, shown, one.verify_mode, one.device_key)

		return Station(number, serial, record, state.expected, device, state.acknowledged)

	# the day

	def test_a_working_day(self) -> None:
		self.fleet = AdmsFleet(port=self.server.port, pace=0.03)
		self.fleet._host_header = self.server.site
		for state in self.pushing:
			self.fleet.add(state)
		self.fleet.start()
		self.addCleanup(self.fleet.stop)
		self._live_until(self.begin + timedelta(hours=24))
		self.assertEqual(self.events, [])
		self._bring_home()
		self.fleet.stop()
		self._judge()

	def _live_until(self, end: datetime) -> None:
		next_tick = self.clock()
		while self.clock() < end:
			self.clock.advance(STEP)
			while self.events and self.events[0][0] <= self.clock():
				self.events.pop(0)[1]()
			self._let_push(everybody=self._is_watched())
			if self.clock() >= next_tick:
				next_tick = self.clock() + TICK_EVERY
				self._tick()

	def _is_watched(self) -> bool:
		passed = self.clock() - self.begin
		return any(timedelta(0) <= passed - timedelta(hours=hour) <= WATCHED_FOR for hour in WATCHED_HOURS)

	def _let_push(self, *, everybody: bool) -> None:
		"""Until what was just punched has been pushed, and, if wished, everybody has called."""
		calling = [
			state for state in self.pushing if not state.is_unplugged and "wrong-token" not in state.faults
		]
		calling = [state for state in calling if state.serial != pushers.serial(UNPAIRED)]
		before = {id(state): state.answers[200] for state in calling}

		def is_done() -> bool:
			return not any(
				state.has_news or (everybody and state.answers[200] == before[id(state)]) for state in calling
			)

		deadline = time.monotonic() + PATIENCE_SECONDS
		while not is_done():
			self.assertLess(
				time.monotonic(),
				deadline,
				[
					(state.serial, state.faults, state.answers, state.counters)
					for state in calling
					if state.has_news or state.answers[200] == before[id(state)]
				],
			)
			time.sleep(0.01)

	def _tick(self, *, reads: bool = False) -> None:
		"""What the scheduler and its workers do, at once and here; and the agent's work."""
		pulls: list[str] = []
		with (
			patch.object(background, "queue_pull", lambda device, _trigger, **_values: pulls.append(device)),
			patch.object(background, "queue_carry_on", jobs.carry_on),
			patch.object(background, "queue_count_days", lambda: None),
		):
			frappe.db.rollback()
			jobs.tick()
		frappe.db.commit()
		if reads:
			pulls = frappe.get_all(devices.DOCTYPE, {**devices.READ_FROM_HERE}, pluck="name")
		for device in pulls:
			jobs.pull_device(device, "Scheduler")
		if reads or (self.clock() - self.begin) % READ_EVERY < TICK_EVERY:
			self.relay.read_all()
		self.relay.report()
		self._check_shifts()

	def _bring_home(self) -> None:
		"""The evening: everything that can still come, comes."""
		for _each in range(3):
			for _step in range(5):
				self.clock.advance(STEP)
				self._let_push(everybody=True)
			self._tick(reads=True)
			missing = self._reachable() - self._held().keys()
			waiting = frappe.db.count("Punch Log", {"status": ("in", ("Received", "Pending"))})
			if not missing and not waiting and self._is_judged(HEALTHY_SHIFT):
				return
		served = [station.device for station in self.stations if station.number in SHIFTS[HEALTHY_SHIFT]]
		watermarks = frappe.get_all(
			devices.DOCTYPE,
			{"name": ("in", served)},
			["name", "watermark"],
			order_by="watermark",
			as_list=True,
		)
		self.fail(
			f"{waiting} wait, and these are missing: {Counter(serial for serial, _, _ in missing)};"
			f" {HEALTHY_SHIFT} is held back by one of {watermarks}"
		)

	def _is_judged(self, shift: str) -> bool:
		"""Whether a shift has moved to the end of the day."""
		until = frappe.db.get_value("Shift Type", f"{premises.MARK} {shift}", "last_sync_of_checkin")
		return until is not None and moments.from_site(until) > self.begin + timedelta(hours=23)

	# what is to be found

	def _held(self) -> dict[Key, Any]:
		frappe.db.rollback()  # what the web workers have written
		rows = frappe.get_all(
			"Punch Log",
			{"device_serial": ("like", f"{premises.MARK}%")},
			list(_COLUMNS),
			order_by=None,
		)
		held = {(row.device_serial, row.device_user_id, row.wall_time): row for row in rows}
		self.assertEqual(len(held), len(rows))
		return held

	def _reachable(self) -> set[Key]:
		"""Every punch but those that a dark terminal keeps, or one that was not let in."""
		out = {UNPAIRED, WRONG_TOKEN, *DARK_FROM}
		return {key for station in self.stations if station.number not in out for key in station.truth()}

	def _check_shifts(self) -> None:
		"""No shift is judged past a punch that is not settled here, or past the dark."""
		settled = {key for key, row in self._held().items() if row.status not in ("Received", "Pending")}
		for name, served in SHIFTS.items():
			until = frappe.db.get_value("Shift Type", f"{premises.MARK} {name}", "last_sync_of_checkin")
			if until is None:
				continue
			vouched = moments.from_site(until)
			for station in self.stations:
				if station.number not in served and station.number != TWIN:
					continue
				if station.number == TWIN and TWINS_OTHER not in served:
					continue
				passed = [
					key
					for key, moment in station.moments_of.items()
					if moment <= vouched and key not in settled
				]
				self.assertEqual(passed, [], (name, station.device, vouched, self.clock()))
				if station.number in DARK_FROM:
					dark = self.begin + timedelta(hours=DARK_FROM[station.number]) + STEP
					self.assertLessEqual(vouched, dark, (name, station.device))

	def _judge(self) -> None:
		held = self._held()
		truth = {key for station in self.stations for key in station.truth()}
		self.assertGreater(len(truth), 3 * PEOPLE)
		# Nothing lost, nothing made up.
		self.assertLessEqual(self._reachable(), held.keys())
		self.assertLessEqual(held.keys(), truth)
		self._check_checkins(held)
		left_out = [
			(key, row.status, row.status_reason)
			for key, row in held.items()
			if self._is_undisputed(key, held) and row.status != "Checked in"
		]
		self.assertEqual(left_out, [])
		# What somebody was told to forget is held; who was not let in was told nothing.
		for station in self.stations:
			told = {(station.serial, *key) for key in station.acknowledged()}
			self.assertLessEqual(told, held.keys(), station.serial)
			if station.number in (UNPAIRED, WRONG_TOKEN):
				self.assertEqual(told, set())
		self.assertLessEqual(self.relay.told_held, {row.name for row in held.values()})
		unpaired = [state for state in self.pushing if state.serial == pushers.serial(UNPAIRED)]
		self.assertTrue(
			frappe.db.exists("Device Pairing", pushers.serial(UNPAIRED)),
			[
				(state.serial, state.dialect, state.faults, state.answers, state.counters)
				for state in unpaired
			],
		)
		self._check_that_it_was_a_day(held)

	def _check_checkins(self, held: dict[Key, Any]) -> None:
		checkins = {
			row.name: row
			for row in frappe.get_all(
				"Employee Checkin",
				{"employee": ("in", premises.own_employees())},
				["name", "employee", "time"],
				order_by=None,
			)
		}
		checked_in = [row for row in held.values() if row.status == "Checked in"]
		self.assertEqual(
			Counter(row.employee_checkin for row in checked_in), Counter(dict.fromkeys(checkins, 1))
		)
		for row in checked_in:
			made = checkins[row.employee_checkin]
			self.assertEqual((made.employee, made.time), (row.employee, row.occurred_at))
		explained = {"Duplicate", "Unmapped", "Quarantined", "Rejected"}
		for key, row in held.items():
			if row.status != "Checked in":
				self.assertIn(row.status, explained, key)
				self.assertTrue(row.status_reason, key)

	def _is_undisputed(self, key: Key, held: dict[Key, Any]) -> bool:
		"""Whether it is of somebody who works here, at a terminal whose clock is right, not within a minute
		of their last pass."""
		serial, user_id, wall_time = key
		wrong = {station.serial for station in self.stations if station.number in (5, 13, 14)}
		active = {each.device_user_id for each in self.factory.workers if each.status == "Active"}
		if user_id not in active or serial in wrong or wall_time.date() != self.yesterday:
			return False
		others = [other for other in held if other != key and other[1] == user_id]
		return all(abs((wall_time - other[2]).total_seconds()) > 60 for other in others)

	def _check_that_it_was_a_day(self, held: dict[Key, Any]) -> None:
		"""All of it has happened: every road was used, terminals were lost, shifts moved on."""
		statuses = Counter(row.status for row in held.values())
		self.assertLessEqual({"Checked in", "Duplicate", "Unmapped", "Quarantined"}, statuses.keys())
		roads = set(frappe.get_all("Punch Log", {"device": ("like", f"{premises.MARK}%")}, pluck="road"))
		self.assertLessEqual({"Push", "Agent"}, roads)
		self.assertGreater(frappe.db.count("Device Sync Log", {"status": "Failed"}), 0)
		self.assertTrue(any(state.counters["again"] for state in self.pushing))
		for shift in ("Dark Read", "Dark Pushing", "Dark Relayed"):
			until = frappe.db.get_value("Shift Type", f"{premises.MARK} {shift}", "last_sync_of_checkin")
			self.assertIsNotNone(until, shift)


def _wall(moment: datetime) -> datetime:
	return moment.astimezone(ZONE).replace(tzinfo=None, microsecond=0)
