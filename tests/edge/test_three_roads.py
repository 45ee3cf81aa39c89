"""The same day over three roads at once, with the faults of each: every punch held once, none missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.edge import listener, posts
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.receiver.settings import ReceiverSettings
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.simulators.adms_terminal import AdmsFleet, AdmsState
from attendance_bridge.simulators.adms_terminal import verbs as adms_verbs
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal, verbs
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from tests.edge.rig import ZONE, eventually

TOKEN = "t" * 24
PEOPLE = 12
PUNCHES = 60


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(posts, "LOOK_EVERY_SECONDS", 0.05)
	monkeypatch.setattr(listener, "LOOK_EVERY_SECONDS", 0.05)
	monkeypatch.setattr(listener, "BACKOFF", replace(listener.BACKOFF, base=timedelta(seconds=0.05)))
	monkeypatch.setenv("GATE_PASSWORD", PASSWORD)


@contextmanager
def an_agent(folder: Path, *devices: dict[str, Any]) -> Iterator[Agent]:
	tables = [{"timezone": ZONE.key, "role": "both", "poll_seconds": 1.0, **device} for device in devices]
	mapping = {"agent": {"database": str(folder / "edge.db")}, "web": {"enabled": False}, "devices": tables}
	receiver = ReceiverSettings(enabled=True, host="127.0.0.1", port=0, threads=4, token=Secret(TOKEN))
	agent = Agent(replace(from_mapping(mapping), receiver=receiver))
	agent.start()
	try:
		yield agent
	finally:
		agent.request_stop()
		agent.wait()
		agent.close()


Key = tuple[str, datetime]


def held(agent: Agent) -> Counter[Key]:
	return Counter((each.punch.device_user_id, each.punch.wall_time) for each in agent.punches.each())


def day() -> list[Key]:
	"""Who punches when: wall times of this day, one a minute."""
	now = datetime.now(ZONE).replace(tzinfo=None, microsecond=0)
	start = now - timedelta(minutes=PUNCHES + 1)
	return [(str(1 + number % PEOPLE), start + timedelta(minutes=number)) for number in range(PUNCHES)]


@pytest.mark.parametrize(
	"faults",
	[
		(),
		("replay-all", "hosts-replay"),
		("stream-drops", "missed-alerts"),
		("stream-half-part", "hosts-no-boundary", "xml-alerts"),
		("hosts-never-deliver", "stream-silent"),
	],
	ids="+".join,
)
def test_hikvision_pulled_streamed_and_posted(tmp_path: Path, faults: tuple[str, ...]) -> None:
	state = HikvisionState(serial="HIK1", zone=ZONE)
	for fault in faults:
		verbs.set_fault(state, fault)
	for number in range(PEOPLE):
		verbs.enroll(state, str(number + 1))
	wanted = day()
	for user_id, wall_time in wanted[: PUNCHES // 3]:
		verbs.punch(state, user_id, at=wall_time.replace(tzinfo=ZONE))
	with HikvisionTerminal(state) as terminal:
		device = {
			"name": "Gate",
			"driver": "hikvision_isapi",
			"host": "127.0.0.1",
			"port": terminal.port,
			"user": USER,
			"password_env": "GATE_PASSWORD",
			"live": True,
			"posts": True,
		}
		with an_agent(tmp_path, device) as agent:
			eventually(lambda: any(host.is_set for host in list(state.hosts.values())))
			eventually(lambda: "Gate" in agent.listener.states)
			for user_id, wall_time in wanted[PUNCHES // 3 :]:
				verbs.punch(state, user_id, at=wall_time.replace(tzinfo=ZONE))
			eventually(lambda: len(held(agent)) == PUNCHES)
			assert held(agent) == Counter(wanted)
			assert agent.punches.unreadable_count() == 0


@pytest.mark.parametrize(
	"faults",
	[(), ("joined-events", "event-pieces"), ("event-drops",), ("missed-events", "one-connection")],
	ids="+".join,
)
def test_zkteco_pulled_listened_to_and_pushed(tmp_path: Path, faults: tuple[str, ...]) -> None:
	"""One terminal, as two simulated ones with its serial number: no simulator speaks both protocols."""
	state = ZktecoState(serial="ZK1", zone=ZONE, faults=faults)
	for number in range(PEOPLE):
		state.add_user(str(number + 1))
	pushing = AdmsState(serial="ZK1", prefix=f"/{TOKEN}")
	for number in range(PEOPLE):
		adms_verbs.enroll(pushing, str(number + 1))
	wanted = day()
	with ZktecoTerminal(state) as terminal:
		called = {"name": "Gate", "driver": "zkteco_tcp", "host": "127.0.0.1", "port": terminal.port}
		calling = {"name": "Gate (push)", "driver": "zkteco_adms", "serial": "ZK1"}
		with an_agent(tmp_path, {**called, "live": True}, calling) as agent:
			assert agent.receiver is not None
			with AdmsFleet(port=agent.receiver.port, pace=0.05) as fleet:
				fleet.add(pushing)
				eventually(lambda: state.counters["event_register"] > 0)
				for user_id, wall_time in wanted:
					state.record(user_id, wall_time, VerifyMode.FACE, DeviceKey.CHECK_IN)
					pushing.record(user_id, wall_time, VerifyMode.FACE, DeviceKey.CHECK_IN)
				eventually(lambda: len(held(agent)) == PUNCHES)
				eventually(lambda: agent.listener.states["Gate"].events > 0)
			assert held(agent) == Counter(wanted)
			assert agent.punches.unreadable_count() == 0
