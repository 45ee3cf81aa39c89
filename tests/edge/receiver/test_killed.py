"""An agent that is killed in the middle of a shift change: what it acknowledged, it holds."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState, Dialect
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.punches import PunchStore
from tests.acceptance.command import Running
from tests.edge.rig import eventually

ZONE = ZoneInfo("Asia/Dubai")
TERMINALS, PUNCHES = 6, 40

Known = set[tuple[str, str, datetime]]


def start(folder: Path, port: int) -> Running:
	tables = "".join(
		f'[[devices]]\nname = "Gate {number}"\ndriver = "zkteco_adms"\nserial = "S{number}"\n'
		f'timezone = "{ZONE.key}"\n'
		for number in range(TERMINALS)
	)
	config = folder / "edge.toml"
	config.write_text(
		f'[agent]\ndatabase = "{folder / "edge.db"}"\n[web]\nenabled = false\n'
		f'[receiver]\nenabled = true\nhost = "127.0.0.1"\nport = {port}\n{tables}'
	)
	process = Running("edge", "run", "--config", config, log=folder / "log")
	eventually(lambda: answers(port), "the agent answers")
	return process


def answers(port: int) -> bool:
	connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
	try:
		connection.request("GET", "/iclock/ping?SN=S0")
		return connection.getresponse().status == 200
	except OSError:
		return False
	finally:
		connection.close()


def terminals() -> list[AdmsState]:
	began = datetime.now(ZONE).replace(tzinfo=None, microsecond=0) - timedelta(hours=10)
	made = []
	for number in range(TERMINALS):
		dialect = Dialect.SECURITY if number % 2 else Dialect.ATTENDANCE
		state = AdmsState(serial=f"S{number}", dialect=dialect)
		state.rows_per_post = 1
		for person in range(PUNCHES):
			state.record(f"{person + 1:03}", began + timedelta(seconds=20 * person))
		made.append(state)
	return made


def acknowledged(states: list[AdmsState]) -> Known:
	return {(state.serial, user_id, wall) for state in states for user_id, wall in state.acknowledged()}


def held(folder: Path) -> list[tuple[str, str, datetime]]:
	with Database.open(folder / "edge.db") as database:
		return [
			(each.punch.device_serial, each.punch.device_user_id, each.punch.wall_time)
			for each in PunchStore(database).each()
		]


def test_what_was_acknowledged_is_held_and_the_rest_comes_later(
	tmp_path: Path, reserve_port: Callable[[], int]
) -> None:
	port, states = reserve_port(), terminals()
	total = TERMINALS * PUNCHES
	process = start(tmp_path, port)
	fleet = AdmsFleet(port=port, pace=0.02)
	for state in states:
		fleet.add(state)
	fleet.start()
	try:
		eventually(lambda: len(acknowledged(states)) > 0.4 * total, "some are acknowledged")
		process.kill()
		time.sleep(0.1)  # an answer that was on its way is read
		assert acknowledged(states) <= set(held(tmp_path))
		assert len(acknowledged(states)) < total
		process = start(tmp_path, port)
		eventually(lambda: len(acknowledged(states)) == total, "all are acknowledged")
	finally:
		fleet.stop()
		assert process.end() == 0
	found = held(tmp_path)
	assert len(found) == total
	assert set(found) == acknowledged(states)
