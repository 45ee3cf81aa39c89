"""Somebody forgets to punch at a terminal, and is helped: through the agent as it is run, and a power cut."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.punch import DeviceKey
from attendance_bridge.simulators import hikvision
from attendance_bridge.simulators.hikvision import verbs
from tests.acceptance import toml
from tests.acceptance.command import EVERY_PAGE, Running, run, wait_until
from tests.acceptance.terminals import ENVIRONMENT, PASSWORD, ZONE, gate_table

YESTERDAY = datetime.now(ZONE).date() - timedelta(days=1)
MISSED = {"employee": "7", "wall_time": f"{YESTERDAY} 17:30", "log_type": "OUT", "why": "forgot"}


class Shop:
	"""One terminal at which somebody came yesterday and did not punch when leaving."""

	def __init__(self, folder: Path, port: int) -> None:
		self._folder, self._starts = folder, 0
		self.config = toml.write(
			folder / "agent.toml",
			{
				"agent": {"name": "Shop", "database": str(folder / "agent.db"), "timezone": ZONE.key},
				"web": {"port": 0},
			},
			[gate_table(port)],
		)
		scopes = ("--scope", "view", "--scope", "correct")
		made = run("edge", "key", "add", "payroll", *scopes, "--config", self.config, env=ENVIRONMENT)
		assert made.code == 0, made.words
		self._key = made.out.split()[-1]

	@contextmanager
	def agent(self) -> Iterator[Running]:
		self._starts += 1
		log = self._folder / f"agent-{self._starts}.log"
		with Running("edge", "run", "--config", self.config, log=log, env=ENVIRONMENT) as agent:
			self._address = agent.wait_for("http://").removeprefix("Shop: ").rstrip("/")
			yield agent

	def call(self, path: str, body: dict[str, str] | None = None) -> Any:
		headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
		data = json.dumps(body).encode() if body is not None else None
		request = urllib.request.Request(f"{self._address}/api/v1/{path}", data=data, headers=headers)
		with urllib.request.urlopen(request, timeout=10) as response:
			return json.loads(response.read())

	def day(self) -> tuple[float, list[tuple[str, bool]], list[str]]:
		"""Hours, punches and what to look at."""
		days = self.call(f"working-days?date={YESTERDAY}")["days"]
		if not days:
			return 0.0, [], []
		(day,) = days
		scans = [(scan["type"], scan["by_hand"]) for scan in day["scans"]]
		return day["working_hours"], scans, day["anomalies"]


FORGOTTEN = (0.0, [("IN", False)], ["missing_out"])
HELPED = (8.5, [("IN", False), ("OUT", True)], [])


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
	state = hikvision.HikvisionState(serial="HIK1", zone=ZONE, password=PASSWORD)
	verbs.enroll(state, "7", "Somebody")
	morning = datetime.combine(YESTERDAY, time(9), ZONE)
	verbs.punch(state, "7", device_key=DeviceKey.CHECK_IN, at=morning)
	with hikvision.HikvisionTerminal(state) as terminal:
		yield Shop(tmp_path, terminal.port)


def test_a_forgotten_out_is_entered_survives_a_power_cut_and_is_withdrawn(shop: Shop) -> None:
	with shop.agent() as agent:
		wait_until(lambda: shop.day() == FORGOTTEN, "the forgotten OUT is not missed", every=EVERY_PAGE)
		answer = shop.call("entered-punches", MISSED)
		assert answer["news"] is True
		wait_until(lambda: shop.day() == HELPED, "what was entered does not count", every=EVERY_PAGE)
		agent.kill()
	with shop.agent() as agent:
		assert shop.day() == HELPED
		again = shop.call("entered-punches", MISSED)
		assert (again["news"], again["punch_id"]) == (False, answer["punch_id"])
		assert len(shop.call("punches")["punches"]) == 2
		# From the command line beside the running agent.
		done = run(
			"edge",
			"punch",
			"withdraw",
			answer["punch_id"],
			"--why",
			"a mistake",
			"--config",
			shop.config,
			env=ENVIRONMENT,
		)
		assert done.code == 0, done.words
		assert shop.day() == FORGOTTEN
		assert agent.end() == 0
