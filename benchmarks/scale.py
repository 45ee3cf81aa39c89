"""What 50, 100 and 200 terminals cost one edge agent: CPU and memory, and how both grow.

Half of the terminals are Hikvision, half ZKTeco, simulated in two processes of their own. One agent, as
shipped but with the web page off and a local ledger, polls them all from a third. Its first pulls bring a
small history; the measured stretch begins only when all of it has been read, decided and entered in the
ledger. From then on people punch at a steady rate.

Time is compressed: a terminal is polled every 6 seconds instead of every 60, and as many punches fall into
one poll as would fall into a minute. Scaled back to a poll every 60 seconds:

	CPU of a poll          = (CPU of the stretch - CPU of an idle agent in as long) / polls
	CPU a terminal an hour = CPU of a poll x 60 + CPU of an idle agent in an hour / terminals

The idle agent has no terminals at all and is measured like the others. Polls are counted by the terminals.
Compression flatters in one respect: with more polls a second, the uploader oftener finds the punches of two
of them at once.

Memory is what is resident at the end of the stretch; above the base means above the idle agent.

The two ratios compare 200 terminals with 50. 1 means that a terminal costs as much in a large fleet as in a
small one; less than 1, that it costs less. On a machine with other work a figure of CPU is good to a tenth at
best: the medians are of few stretches, and whoever shares the core also shares its caches.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from _figures import MEGABYTE, verdict
from _processes import ask, beside, resident_bytes, serve_questions

from attendance_bridge import drivers
from attendance_bridge.core.projection import State
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.drivers.hikvision_isapi.driver import DEVICE_INFO
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.settings import Settings, from_mapping
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from attendance_bridge.simulators.zkteco import verbs as zkteco_verbs

FLEETS = (50, 100, 200)
ZONE = ZoneInfo("Asia/Dubai")
USER = "admin"
PASSWORD = "only-a-trial-1"
PASSWORD_VARIABLE = "ATTENDANCE_BRIDGE_BENCHMARK_PASSWORD"
PEOPLE_AT_A_TERMINAL = 40
BETWEEN_OLD_PUNCHES = timedelta(minutes=10)
DEFAULT_POLL_SECONDS = 60
SETTLE_SECONDS = 240.0
"""How long the agent may take for the history."""
CALM_SECONDS = 2.0
"""Between the last of the history and the measured stretch."""
GOAL = "<=1.0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
	"""What the agent has used since it was started, as it says itself."""

	at: float
	"""Seconds of a clock that only the agent knows."""
	cpu: float
	"""Seconds, of all threads, in user and system mode."""
	memory: int
	"""Bytes resident."""
	entered: int
	"""Punches in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
	"""What an agent used while it was measured."""

	terminals: int
	seconds: float
	cpu: float
	memory: int
	entered: int
	polls: int

	def cpu_of_a_poll(self, idle: Stretch) -> float:
		return (self.cpu - idle.cpu / idle.seconds * self.seconds) / self.polls

	def cpu_of_an_hour(self, idle: Stretch) -> float:
		"""CPU seconds that one terminal costs in an hour when it is polled once a minute."""
		polls_an_hour = 3600 / DEFAULT_POLL_SECONDS
		of_agent = idle.cpu / idle.seconds * 3600
		return self.cpu_of_a_poll(idle) * polls_an_hour + of_agent / self.terminals


# the terminals


def serve_hikvision(connection: Connection, terminals: int, history: int, punches_a_second: float) -> None:
	"""The process of all Hikvision terminals."""
	states = []
	for terminal in range(terminals):
		state = HikvisionState(serial=f"SIMHIK{terminal:06d}", zone=ZONE, user=USER, password=PASSWORD)
		for place in range(PEOPLE_AT_A_TERMINAL):
			hikvision_verbs.enroll(state, _person("1", terminal, place))
		for number, moment in _history(history):
			hikvision_verbs.punch(state, _person("1", terminal, number), at=moment)
		states.append(state)

	def punch(terminal: int, number: int) -> None:
		hikvision_verbs.punch(states[terminal], _person("1", terminal, number))

	def polls() -> int:
		return sum(state.counters.answered[DEVICE_INFO] for state in states)  # a contact begins with it

	with ExitStack() as running:
		ports = [running.enter_context(HikvisionTerminal(state)).port for state in states]
		open_doors = running.enter_context(_doors(punch, terminals, punches_a_second))
		serve_questions(connection, {"ports": lambda: ports, "open doors": open_doors, "polls": polls})


def serve_zkteco(connection: Connection, terminals: int, history: int, punches_a_second: float) -> None:
	"""The process of all ZKTeco terminals."""
	states = []
	for terminal in range(terminals):
		state = ZktecoState(serial=f"SIMZK{terminal:06d}", zone=ZONE)
		for place in range(PEOPLE_AT_A_TERMINAL):
			zkteco_verbs.add_user(state, _person("2", terminal, place))
		for number, moment in _history(history):
			wall_time = moment.replace(tzinfo=None)
			state.record(_person("2", terminal, number), wall_time, VerifyMode.FINGER, DeviceKey.UNDEFINED)
		states.append(state)

	def punch(terminal: int, number: int) -> None:
		zkteco_verbs.punch_now(states[terminal], _person("2", terminal, number))

	def polls() -> int:
		return sum(state.counters["connect"] for state in states)

	with ExitStack() as running:
		ports = [running.enter_context(ZktecoTerminal(state)).port for state in states]
		open_doors = running.enter_context(_doors(punch, terminals, punches_a_second))
		serve_questions(connection, {"ports": lambda: ports, "open doors": open_doors, "polls": polls})


def _person(family: str, terminal: int, number: int) -> str:
	"""Nobody uses two terminals, so that no punch is taken for the echo of another."""
	return f"{family}{terminal:04d}{number % PEOPLE_AT_A_TERMINAL:03d}"


def _history(punches: int) -> Iterator[tuple[int, datetime]]:
	"""(number, moment) of what the terminal holds already; it ends two hours ago."""
	end = datetime.now(ZONE).replace(microsecond=0) - timedelta(hours=2)
	for number in range(punches):
		yield number, end - (punches - number) * BETWEEN_OLD_PUNCHES


@contextmanager
def _doors(
	punch: Callable[[int, int], None], terminals: int, punches_a_second: float
) -> Iterator[Callable[[], None]]:
	"""Yields what opens the doors: from then on somebody punches, at one terminal after the other."""
	opened, closed = threading.Event(), threading.Event()

	def let_in() -> None:
		opened.wait()
		for number in count():
			if closed.wait(1 / punches_a_second):
				return
			punch(number % terminals, number // terminals)

	thread = threading.Thread(target=let_in, name="people")
	thread.start()
	try:
		yield opened.set
	finally:
		closed.set()
		opened.set()
		thread.join()


# the agent


def serve_agent(
	connection: Connection, hikvision: list[int], zkteco: list[int], poll_seconds: float, folder: str
) -> None:
	"""The process of the agent."""
	os.environ[PASSWORD_VARIABLE] = PASSWORD
	for family in ("hikvision_isapi", "zkteco_tcp"):
		drivers.load(family)  # the idle agent has them in memory too
	with tempfile.TemporaryDirectory(dir=folder) as fresh:
		agent = Agent(make_settings(hikvision, zkteco, poll_seconds, Path(fresh, "agent.db")))
		agent.start()
		try:
			serve_questions(connection, {"settle": lambda: _settle(agent), "usage": lambda: _usage(agent)})
		finally:
			agent.request_stop()
			agent.wait()
			agent.close()


def make_settings(hikvision: list[int], zkteco: list[int], poll_seconds: float, database: Path) -> Settings:
	common = {"host": "127.0.0.1", "timezone": ZONE.key, "role": "both", "poll_seconds": poll_seconds}
	login = {"driver": "hikvision_isapi", "user": USER, "password_env": PASSWORD_VARIABLE}
	devices: list[dict[str, Any]] = [
		{**common, **login, "name": f"Hikvision {port}", "port": port} for port in hikvision
	]
	devices += [{**common, "driver": "zkteco_tcp", "name": f"ZKTeco {port}", "port": port} for port in zkteco]
	return from_mapping(
		{
			"agent": {"name": "Benchmark", "database": str(database)},
			"upstream": {"kind": "local_ledger"},
			"web": {"enabled": False},
			"devices": devices,
		}
	)


def _settle(agent: Agent) -> float:
	"""Wait until all terminals are read and all that they held is in the ledger; returns the seconds."""
	started = time.monotonic()
	while time.monotonic() - started < SETTLE_SECONDS:
		counts = agent.punches.counts()
		waiting = counts[State.RECEIVED] + counts[State.PENDING]
		if not waiting and all(record.last_pull_complete for record in agent.book.all()):
			return time.monotonic() - started
		time.sleep(0.25)
	raise SystemExit("the agent did not get through the history of its terminals")


def _usage(agent: Agent) -> Usage:
	return Usage(
		at=time.perf_counter(),
		cpu=time.process_time(),
		memory=resident_bytes(),
		entered=agent.punches.counts()[State.CHECKED_IN],
	)


# the measurement


def measure(terminals: int, options: argparse.Namespace) -> Stretch:
	"""Start everything for one fleet, let it settle, measure one stretch, and end everything."""
	half = terminals // 2
	punches_a_second = options.punches_per_poll / options.poll_seconds * half or 1.0
	with ExitStack() as stack:
		served: list[Connection] = []
		ports: list[list[int]] = [[], []]
		if terminals:
			families = ((serve_hikvision, options.hikvision_history), (serve_zkteco, options.zkteco_history))
			for serve, history in families:
				served.append(stack.enter_context(beside(serve, half, history, punches_a_second)))
			ports = [ask(each, "ports") for each in served]
		agent = stack.enter_context(beside(serve_agent, *ports, options.poll_seconds, options.folder))
		settled = ask(agent, "settle")
		for each in served:
			ask(each, "open doors")
		time.sleep(CALM_SECONDS)
		polls = sum(ask(each, "polls") for each in served)
		before: Usage = ask(agent, "usage")
		time.sleep(options.seconds)
		after: Usage = ask(agent, "usage")
		polls = sum(ask(each, "polls") for each in served) - polls
	stretch = Stretch(
		terminals=terminals,
		seconds=after.at - before.at,
		cpu=after.cpu - before.cpu,
		memory=after.memory,
		entered=after.entered - before.entered,
		polls=polls,
	)
	print(
		f"  {terminals:3} terminals: history read in {settled:4.1f} s; then in {stretch.seconds:.1f} s "
		f"{polls} polls, {stretch.entered} new check-ins, {stretch.cpu:.2f} s CPU, "
		f"{stretch.memory / MEGABYTE:.1f} MB",
		flush=True,
	)
	return stretch


def report(stretches: list[Stretch], idle: Stretch) -> tuple[float, float]:
	"""Print one size of fleet; returns CPU seconds a terminal an hour, and bytes above the base."""
	terminals = stretches[0].terminals
	poll = median(each.cpu_of_a_poll(idle) for each in stretches)
	hour = median(each.cpu_of_an_hour(idle) for each in stretches)
	memory = median(each.memory for each in stretches)
	above = memory - idle.memory
	print(
		f"{terminals:3} terminals: {poll * 1000:.1f} ms CPU a poll, {hour:.2f} s CPU a terminal an hour "
		f"({hour * terminals / 36:.1f} % of one core for all); {memory / MEGABYTE:.1f} MB, "
		f"{above / MEGABYTE:.1f} MB above the base, {above / terminals / 1000:.0f} kB a terminal"
	)
	return hour, above


def main() -> None:
	parser = argparse.ArgumentParser(
		description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
	)
	parser.add_argument("--poll-seconds", type=float, default=6.0)
	parser.add_argument("--seconds", type=float, default=12.0, help="length of a measured stretch")
	parser.add_argument("--rounds", type=int, default=2, help="stretches of each size, in turn")
	parser.add_argument("--punches-per-poll", type=float, default=0.5, help="new ones, at each terminal")
	parser.add_argument("--hikvision-history", type=int, default=20, help="punches held from the start")
	parser.add_argument("--zkteco-history", type=int, default=150, help="punches held from the start")
	parser.add_argument("--folder", default=tempfile.gettempdir(), help="where the databases are made")
	options = parser.parse_args()
	print(f"polled every {options.poll_seconds:g} s, {options.punches_per_poll:g} new punches a poll")
	idle = measure(0, options)
	fleets: dict[int, list[Stretch]] = {terminals: [] for terminals in FLEETS}
	for _ in range(options.rounds):
		for terminals, stretches in fleets.items():
			stretches.append(measure(terminals, options))
	idle_hour = idle.cpu / idle.seconds * 3600
	print(f"idle agent: {idle_hour:.1f} s CPU an hour, {idle.memory / MEGABYTE:.1f} MB, which is the base")
	figures = {terminals: report(stretches, idle) for terminals, stretches in fleets.items()}
	small, large = FLEETS[0], FLEETS[-1]
	growth = large / small
	cpu = figures[large][0] * large / (figures[small][0] * small) / growth
	memory = figures[large][1] / figures[small][1] / growth
	print(verdict(memory, GOAL, name="memory_ratio"))
	print(verdict(cpu, GOAL))


if __name__ == "__main__":
	main()
