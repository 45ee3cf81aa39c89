"""The agent is killed, again and again, at whatever it is doing. Every punch arrives, and arrives once.

The agent is the real command in a process of its own, ended by SIGKILL. The terminals and the site are
simulated in this process and live on. The site is not strict: like a real one it takes two identical
check-ins that come at the same moment, so nothing but the agent keeps them from being doubled.
"""

from __future__ import annotations

import itertools
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.projection import State
from attendance_bridge.simulators import hikvision, workforce, zkteco
from attendance_bridge.simulators.frappe_site import Bridge, FrappeSite, RelayedTerminal, SiteState
from attendance_bridge.simulators.frappe_site import verbs as site_verbs
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.zkteco import verbs as zkteco_verbs
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore
from tests.acceptance import toml
from tests.acceptance.command import Running, wait_until

DEVICE_ZONE = ZoneInfo("Asia/Dubai")
SITE_ZONE = ZoneInfo("Asia/Kolkata")
PEOPLE = 24
DAYS = 6
COMM_KEY = 4711
USER, PASSWORD = "admin", "Terminal-77"

SERVICE_SECONDS = 0.05
"""How long the site works at one check-in. Two at a time: 40 a second, so that a run of the agent, which
lives for half a second, never comes to the end of what the terminals hold."""
SETTLE_SECONDS = 0.3
"""Four posts may be under way when the agent is killed; the site has done them after 0.1 s."""

pytestmark = pytest.mark.timeout(600)
"""An agent is started dozens of times: half a minute on a machine of its own, far more beside others."""

Key = tuple[str, str, datetime]
"""Serial number, id on the terminal, wall time."""


class Place:
	"""A factory with two terminals, its site, and the agent between them."""

	def __init__(self, folder: Path, seed: int, *, has_app: bool = False) -> None:
		"""
		:param has_app: the site has this app, and the agent relays the terminals for it.
		"""
		yesterday = (datetime.now(DEVICE_ZONE) - timedelta(days=1)).date()
		self.chance = random.Random(seed)
		self.factory = _factory(seed, yesterday)
		self._turns = itertools.cycle(self.chance.sample(self.factory.workers, PEOPLE))
		self.gate = hikvision.HikvisionState.from_workforce(
			self.factory, number=1, of=2, zone=DEVICE_ZONE, user=USER, password=PASSWORD
		)
		self.workshop = zkteco.ZktecoState.from_workforce(
			self.factory, number=2, of=2, zone=DEVICE_ZONE, comm_key=COMM_KEY
		)
		self.site = SiteState.from_workforce(
			self.factory, time_zone=SITE_ZONE.key, service_seconds=SERVICE_SECONDS
		)
		self.bridge = Bridge(site=self.site) if has_app else None
		self._employees = {each.device_user_id: each.employee for each in self.factory.workers}
		self._inactive = {each.employee for each in self.factory.workers if each.status == "Inactive"}
		# Those have not punched; this one has, and HRMS refuses it.
		self._inactive.add(self.factory.workers[4].employee)
		site_verbs.set_status(self.site, self.factory.workers[4].employee, "Inactive")
		self._folder = folder
		self._database = folder / "agent.db"
		self._runs = 0

	@contextmanager
	def open(self, settle_seconds: float = SETTLE_SECONDS) -> Iterator[None]:
		"""Switch the terminals and the site on, and write the agent's configuration."""
		with ExitStack() as stack:
			gate = stack.enter_context(hikvision.HikvisionTerminal(self.gate))
			workshop = stack.enter_context(zkteco.ZktecoTerminal(self.workshop))
			site = stack.enter_context(FrappeSite(self.site, bridge=self.bridge))
			if self.bridge is not None:
				self._assign(self.bridge, gate.port, workshop.port)
				self._write_relay(site.url)
				yield
				return
			common: dict[str, toml.Value] = {
				"host": "127.0.0.1",
				"timezone": DEVICE_ZONE.key,
				"poll_seconds": 1,
			}
			toml.write(
				self._folder / "agent.toml",
				{
					"agent": {"database": str(self._database)},
					"web": {"enabled": False},
					"rules": {"debounce_seconds": 0},
					"upstream": {
						"kind": "erpnext_rest",
						"url": site.url,
						"api_key_env": "SITE_KEY",
						"api_secret_env": "SITE_SECRET",
						"timezone": SITE_ZONE.key,
						"settle_seconds": settle_seconds,
					},
				},
				[
					# Small pages, so that a kill finds many places between two of them.
					{
						**common,
						"name": "Gate",
						"driver": "hikvision_isapi",
						"port": gate.port,
						"user": USER,
						"password_env": "GATE_PASSWORD",
						"page_size": 5,
					},
					{
						**common,
						"name": "Workshop",
						"driver": "zkteco_tcp",
						"port": workshop.port,
						"comm_key_env": "WORKSHOP_KEY",
					},
				],
			)
			yield

	def _assign(self, bridge: Bridge, gate: int, workshop: int) -> None:
		common = {"time_zone": DEVICE_ZONE.key, "poll_seconds": 1}
		options = {"host": "127.0.0.1", "port": gate, "user": USER, "password": PASSWORD, "page_size": 5}
		bridge.rules["debounce_seconds"] = 0
		bridge.terminals = [
			RelayedTerminal(name="Gate", driver="hikvision_isapi", options=options, **common),
			RelayedTerminal(
				name="Workshop",
				driver="zkteco_tcp",
				options={"host": "127.0.0.1", "port": workshop, "comm_key": str(COMM_KEY)},
				**common,
			),
		]

	def _write_relay(self, url: str) -> None:
		"""The configuration of an agent that knows of no terminal."""
		upstream: dict[str, toml.Value] = {
			"kind": "frappe_bridge",
			"url": url,
			"api_key_env": "SITE_KEY",
			"api_secret_env": "SITE_SECRET",
			"punches_at_once": 40,
		}
		toml.write(
			self._folder / "agent.toml",
			{"agent": {"database": str(self._database)}, "web": {"enabled": False}, "upstream": upstream},
		)

	def agent(self) -> Running:
		self._runs += 1
		return Running(
			"edge",
			"run",
			"--config",
			self._folder / "agent.toml",
			log=self._folder / f"run-{self._runs}.log",
			env={
				"SITE_KEY": self.site.api_key,
				"SITE_SECRET": self.site.api_secret,
				"GATE_PASSWORD": PASSWORD,
				"WORKSHOP_KEY": str(COMM_KEY),
			},
		)

	# what the agent does to the world

	@property
	def gate_requests(self) -> int:
		return self.gate.counters.requests.total()

	@property
	def workshop_commands(self) -> int:
		return self.workshop.counters.total()

	@property
	def posts(self) -> int:
		return self.site.counters["posts"]

	@property
	def contacts(self) -> int:
		return self.gate_requests + self.workshop_commands + self.site.counters["requests"]

	# what people do meanwhile

	def somebody_punches(self) -> None:
		"""One person at each terminal, now; they take turns, so that nobody is twice in one second."""
		at_the_gate, in_the_workshop = next(self._turns), next(self._turns)
		hikvision_verbs.punch(self.gate, at_the_gate.device_user_id)
		zkteco_verbs.punch_now(self.workshop, in_the_workshop.device_user_id)

	# the truth, and what became of it

	def on_the_terminals(self) -> list[Key]:
		terminals = (self.gate, self.workshop)
		return [(terminal.serial, *key) for terminal in terminals for key in terminal.expected()]

	def held(self) -> dict[Key, State]:
		with Database.open(self._database, check=False) as database:
			return {
				(each.punch.device_serial, each.punch.device_user_id, each.punch.wall_time): each.state
				for each in PunchStore(database).each()
			}

	def is_settled(self) -> bool:
		held = self.held()
		at_rest = not {State.RECEIVED, State.PENDING} & set(held.values())
		return at_rest and len(held) == len(self.on_the_terminals())

	def wanted_state(self, key: Key) -> State:
		_serial, device_user_id, wall_time = key
		if wall_time.year in (2000, 2099):
			return State.QUARANTINED
		if device_user_id not in self._employees:
			return State.UNMAPPED
		is_refused = self._employees[device_user_id] in self._inactive
		return State.REJECTED if is_refused else State.CHECKED_IN

	def wanted_checkin(self, key: Key) -> tuple[str, datetime]:
		"""(employee, time on the site's wall) of a punch that has to arrive."""
		_serial, device_user_id, wall_time = key
		moment = wall_time.replace(tzinfo=DEVICE_ZONE).astimezone(SITE_ZONE)
		return self._employees[device_user_id], moment.replace(tzinfo=None)


def _factory(seed: int, last_day: date) -> workforce.Workforce:
	"""The first in which nobody is at both terminals in one second: HRMS knows seconds only."""
	while True:
		factory = workforce.build(PEOPLE, DAYS, seed, last_day)
		passes = [
			(each.device_user_id, each.wall_time)
			for number in (1, 2)
			for each in factory.at_terminal(number, 2)
		]
		if len(set(passes)) == len(passes):
			return factory
		seed += 1


@pytest.fixture
def make_place(tmp_path: Path) -> Callable[[int], Place]:
	return lambda seed: Place(tmp_path, seed)


def assert_every_punch_arrived_once(place: Place) -> None:
	truth = place.on_the_terminals()
	assert len(set(truth)) == len(truth)
	wanted = {key: place.wanted_state(key) for key in truth}
	assert place.held() == wanted

	due = Counter(place.wanted_checkin(key) for key, state in wanted.items() if state is State.CHECKED_IN)
	assert set(due.values()) == {1}, "the factory itself has two punches of one person in one second"
	assert Counter((row["employee"], row["time"]) for row in place.site.checkins) == due
	# Else the test would prove little.
	assert Counter(wanted.values()).keys() == {
		State.CHECKED_IN,
		State.UNMAPPED,
		State.QUARANTINED,
		State.REJECTED,
	}


def assert_in_order_for_each_person(place: Place) -> None:
	arrived: dict[object, list[str]] = defaultdict(list)
	for row in place.site.checkins:
		arrived[row["employee"]].append(str(row["time"]))
	assert all(times == sorted(times) for times in arrived.values())


def let_it_finish(place: Place) -> None:
	"""Everything works and nobody disturbs: the agent runs to the end of its work."""
	site_verbs.clear_faults(place.site)
	place.site.service_seconds = 0.0
	with place.agent() as agent:
		wait_until(place.is_settled, "the agent did not come to the end of its work")
		assert agent.end() == 0
		assert "Traceback" not in agent.printed


def grown(count: Callable[[], int], more: int) -> Callable[[], bool]:
	"""The condition that a counter has grown by `more` from now on."""
	wanted = count() + more
	return lambda: count() >= wanted


def kill_after(place: Place, moment: Callable[[], bool] | float) -> None:
	"""Let the agent run and kill it.

	:param moment: seconds from its first contact with anything, or a condition.
	"""
	before = place.contacts
	with place.agent() as agent:
		wait_until(lambda: place.contacts > before or not agent.is_alive, "the agent does nothing")
		if isinstance(moment, float):
			time.sleep(moment)
		else:
			wait_until(moment, "the moment to kill the agent did not come", seconds=30)
		assert agent.is_alive, agent.printed
		agent.kill()
		assert "Traceback" not in agent.printed


@pytest.mark.parametrize(
	("seed", "kills", "faults"),
	[
		pytest.param(1, 13, (), id="site-well"),
		pytest.param(2, 13, ("reset-after",), id="answers-lost"),
		pytest.param(3, 12, ("bad-gateway-after", "deadlock"), id="proxy-and-deadlocks"),
		pytest.param(4, 12, ("reset-before", "rate-limit", "bad-gateway"), id="requests-lost"),
	],
)
def test_killed_at_random_moments(
	make_place: Callable[[int], Place], seed: int, kills: int, faults: tuple[str, ...]
) -> None:
	place = make_place(seed)
	with place.open():
		for _ in range(kills):
			if faults:
				site_verbs.set_faults(
					place.site, place.chance.choice(faults), every=place.chance.randint(5, 25)
				)
			kill_after(place, place.chance.uniform(0.05, 1.0))
			place.somebody_punches()
		assert not place.is_settled(), "there was nothing left to interrupt"
		let_it_finish(place)
		assert_every_punch_arrived_once(place)
		assert_in_order_for_each_person(place)


@pytest.mark.parametrize(
	("seed", "kills", "faults"),
	[
		pytest.param(11, 8, (), id="site-well"),
		pytest.param(12, 8, ("reset-after", "bad-gateway-after", "reset-before", "deadlock"), id="bad-line"),
	],
)
def test_killed_at_random_moments_while_it_relays_for_a_site_with_the_app(
	tmp_path: Path, seed: int, kills: int, faults: tuple[str, ...]
) -> None:
	place = Place(tmp_path, seed, has_app=True)
	assert place.bridge is not None
	with place.open():
		for _ in range(kills):
			if faults:
				site_verbs.set_faults(
					place.site, place.chance.choice(faults), every=place.chance.randint(2, 5)
				)
			kill_after(place, place.chance.uniform(0.05, 1.2))
			place.somebody_punches()
		assert not place.is_settled(), "there was nothing left to interrupt"
		let_it_finish(place)
		assert_every_punch_arrived_once(place)
		assert len(place.bridge.punches) == len(place.on_the_terminals())
		for file in tmp_path.iterdir():
			assert PASSWORD.encode() not in file.read_bytes()


def test_killed_inside_an_upload(make_place: Callable[[int], Place]) -> None:
	place = make_place(5)
	with place.open():
		for more in (1, 2, 3, 5, 8, 13):
			kill_after(place, grown(lambda: place.posts, more))
			place.somebody_punches()
		let_it_finish(place)
		assert_every_punch_arrived_once(place)
		assert_in_order_for_each_person(place)


def test_killed_inside_a_pull(make_place: Callable[[int], Place]) -> None:
	place = make_place(6)
	with place.open():
		for more in (1, 10, 60):
			kill_after(place, grown(lambda: place.gate_requests, more))
		for more in (1, 6):
			kill_after(place, grown(lambda: place.workshop_commands, more))
			place.somebody_punches()
		let_it_finish(place)
		assert_every_punch_arrived_once(place)


def test_a_post_that_the_site_is_still_busy_with_is_not_sent_again(
	make_place: Callable[[int], Place],
) -> None:
	"""The check-in that was sent last rests as long as the first of its batch."""
	place = make_place(7)
	place.site.service_seconds, place.site.workers = 1.5, 8
	with place.open(settle_seconds=4.0):
		# Four at a time: the last four are sent three seconds after the first.
		kill_after(place, grown(lambda: place.posts, 12))
		with place.agent():
			wait_until(grown(lambda: place.posts, 4), "the agent does not go on")
		let_it_finish(place)
		assert_every_punch_arrived_once(place)
