"""The whole agent with terminals that push to it, out of the simulator that another hand wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.projection import State
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState, Dialect, verbs
from attendance_bridge.simulators.adms_terminal.rows import User
from tests.edge.rig import eventually

ZONE = ZoneInfo("Asia/Dubai")
PASSES = 40
TOKEN = "abcdefghijklmnop"


@contextmanager
def running(folder: Path, *devices: dict[str, Any], **receiver: Any) -> Iterator[Agent]:
	settings = from_mapping(
		{
			"agent": {"database": str(folder / "edge.db"), "timezone": ZONE.key},
			"upstream": {"kind": "local_ledger"},
			"web": {"port": 0},
			"receiver": {"enabled": True, "host": "127.0.0.1", "port": 0, **receiver},
			"devices": list(devices),
		}
	)
	agent = Agent(settings)
	agent.start()
	try:
		yield agent
	finally:
		agent.close()


def pushing(serial: str, **more: Any) -> dict[str, Any]:
	return {"name": f"Gate {serial}", "driver": "zkteco_adms", "serial": serial, "timezone": ZONE.key, **more}


def terminal(serial: str, dialect: Dialect, faults: tuple[str, ...] = (), prefix: str = "") -> AdmsState:
	state = AdmsState(serial=serial, dialect=dialect, faults=faults, prefix=prefix)
	state.rows_per_post = 7
	state.put_user(User("007", "Somebody", card="77"))
	began = datetime.now(ZONE).replace(tzinfo=None, microsecond=0) - timedelta(hours=20)
	for number in range(PASSES):
		state.record("007", began + timedelta(minutes=10 * number))
	return state


@contextmanager
def fleet(agent: Agent, *states: AdmsState) -> Iterator[None]:
	assert agent.receiver is not None
	switched_on = AdmsFleet(port=agent.receiver.port, pace=0.02)
	for state in states:
		switched_on.add(state)
	switched_on.start()
	try:
		yield
	finally:
		switched_on.stop()


def held(agent: Agent) -> set[tuple[str, str, datetime]]:
	return {
		(each.punch.device_serial, each.punch.device_user_id, each.punch.wall_time)
		for each in agent.punches.each()
	}


def expected(*states: AdmsState) -> set[tuple[str, str, datetime]]:
	return {(state.serial, user_id, wall) for state in states for user_id, wall in state.expected()}


FAULTS = (
	(),
	("answer-lost",),
	("half-body",),
	("replay", "bad-rows"),
	("keep-alive", "no-content-type"),
	("odd-tables", "slow-body"),
)


@pytest.mark.parametrize("dialect", list(Dialect))
def test_every_punch_becomes_one_check_in_whatever_goes_wrong(tmp_path: Path, dialect: Dialect) -> None:
	states = [terminal(f"S{number}", dialect, faults) for number, faults in enumerate(FAULTS)]
	with running(tmp_path, *(pushing(state.serial) for state in states)) as agent, fleet(agent, *states):
		eventually(lambda: all(state.acknowledged() == state.expected() for state in states), "acknowledged")
		assert held(agent) == expected(*states)
		total = len(held(agent))
		eventually(lambda: agent.punches.counts()[State.RECEIVED] == 0, "decided")
		assert sum(agent.punches.counts().values()) == total
		live = verbs.punch(states[0], "007")
		eventually(lambda: (states[0].serial, "007", live.wall_time) in held(agent), "a live punch")


def test_a_terminal_that_waits_keeps_its_punches_until_it_is_let_in(tmp_path: Path) -> None:
	states = [terminal("NEW2", Dialect.ATTENDANCE), terminal("NEW3", Dialect.SECURITY)]
	with running(tmp_path) as agent, fleet(agent, *states):
		eventually(lambda: len(agent.pairing.callers()) == 2, "both wait")
		eventually(lambda: states[0].answers[503] and states[1].answers[406], "refused")
		assert held(agent) == set()
		assert not any(state.acknowledged() for state in states)
		for state in states:
			agent.pairing.approve(
				state.serial, name=state.serial, zone=ZONE.key, role="key", user_id_prefix="", by="somebody"
			)
		eventually(lambda: all(state.acknowledged() == state.expected() for state in states), "acknowledged")
		assert held(agent) == expected(*states)
		assert "SIM-ADMS" in {caller.model for caller in agent.pairing.callers()}


def test_a_wrong_token_brings_nothing_and_loses_nothing(
	tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setenv("PUSH_TOKEN", TOKEN)
	wrong = terminal("T1", Dialect.ATTENDANCE, ("wrong-token",))
	right = terminal("T2", Dialect.SECURITY, prefix=f"/{TOKEN}")
	options = {"push_token_env": "PUSH_TOKEN"}
	with running(tmp_path, pushing("T1", **options), pushing("T2", **options)) as agent:
		with fleet(agent, wrong, right):
			eventually(lambda: right.acknowledged() == right.expected(), "acknowledged")
			eventually(lambda: wrong.answers[403], "refused")
		assert held(agent) == expected(right)
		assert not wrong.acknowledged()
		with fleet(agent, _repaired(wrong)):
			eventually(lambda: wrong.acknowledged() == wrong.expected(), "acknowledged once it is right")
		assert held(agent) == expected(wrong, right)


def _repaired(state: AdmsState) -> AdmsState:
	verbs.clear_fault(state, "wrong-token")
	state.prefix = f"/{TOKEN}"
	return state


def test_an_agent_that_is_away_for_a_while_misses_nothing(tmp_path: Path) -> None:
	state = terminal("S1", Dialect.ATTENDANCE)
	with running(tmp_path, pushing("S1")) as agent:
		assert agent.receiver is not None
		port = agent.receiver.port
		with fleet(agent, state):
			eventually(lambda: state.acknowledged() == state.expected(), "acknowledged")
	verbs.punch(state, "007")
	with running(tmp_path, pushing("S1"), port=port) as agent, fleet(agent, state):
		eventually(lambda: state.acknowledged() == state.expected(), "acknowledged after the pause")
		assert held(agent) == expected(state)
