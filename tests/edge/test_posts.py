"""Terminals that are told to post to an agent, and watched: a real agent, a simulated terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi.delivery import LATE
from attendance_bridge.drivers.hikvision_isapi.http_hosts import HttpHosts
from attendance_bridge.edge import posts
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.receiver.settings import ReceiverSettings
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal, verbs
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from tests.edge.rig import ZONE, eventually


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(posts, "LOOK_EVERY_SECONDS", 0.05)
	monkeypatch.setenv("GATE_PASSWORD", PASSWORD)


class Ahead:
	"""The present moment, a little ahead when a test says so."""

	def __init__(self) -> None:
		self.by = timedelta(0)

	def __call__(self) -> datetime:
		return datetime.now(timezone.utc) + self.by


@contextmanager
def an_agent(
	folder: Path, port: int, *, token: str = "t" * 24, now: Ahead | None = None, receiver_port: int = 0
) -> Iterator[Agent]:
	device: dict[str, Any] = {
		"name": "Main gate",
		"driver": "hikvision_isapi",
		"host": "127.0.0.1",
		"port": port,
		"user": USER,
		"password_env": "GATE_PASSWORD",
		"timezone": ZONE.key,
		"poll_seconds": 86_400,
		"posts": True,
	}
	mapping = {
		"agent": {"database": str(folder / "edge.db")},
		"web": {"enabled": False},
		"devices": [device],
	}
	receiver = ReceiverSettings(
		enabled=True,
		host="127.0.0.1",
		port=receiver_port,
		threads=2,
		token=Secret(token) if token else None,
	)
	settings = replace(from_mapping(mapping), receiver=receiver)
	agent = Agent(settings, now=now or Ahead())
	agent.start()
	try:
		yield agent
	finally:
		agent.request_stop()
		agent.wait()
		agent.close()


def state_of(agent: Agent) -> dict[str, Any]:
	assert agent.posts is not None
	return agent.posts.states.get("Main gate", {})


def read_now(agent: Agent) -> None:
	pulled_at = agent.book.all()[0].last_pull_at
	agent.poller.hurry("Main gate")
	eventually(lambda: agent.book.all()[0].last_pull_at != pulled_at)


def read_and_compared(agent: Agent) -> None:
	"""Read it, and wait until that was compared with what was posted: of two readings between two looks at
	the book only the later one is seen."""
	read_now(agent)
	read_at = agent.book.all()[0].last_pull_at
	assert agent.posts is not None
	known = agent.posts._known
	eventually(lambda: read_at in (known()["Main gate"].pulled_at, known()["Main gate"].missed_at))


def users(agent: Agent) -> list[str]:
	return sorted(each.punch.device_user_id for each in agent.punches.each())


@pytest.fixture
def state() -> HikvisionState:
	made = HikvisionState(serial="HIK1", zone=ZONE)
	for number in range(1, 5):
		verbs.enroll(made, str(number))
	return made


def test_it_is_told_and_it_delivers(tmp_path: Path, state: HikvisionState) -> None:
	with HikvisionTerminal(state) as terminal, an_agent(tmp_path, terminal.port) as agent:
		eventually(lambda: state_of(agent).get("told_at"))
		assert state_of(agent)["not_kept"] == []
		verbs.punch(state, "1")
		eventually(lambda: users(agent) == ["1"])
		eventually(lambda: state_of(agent)["delivery"] == "delivers")
		assert state_of(agent)["events"] == 1


def test_what_comes_while_it_is_told_counts(
	tmp_path: Path, state: HikvisionState, monkeypatch: pytest.MonkeyPatch
) -> None:
	told: list[Agent] = []
	set_up = HttpHosts.set_up

	def set_up_and_post(hosts: HttpHosts, *arguments: Any, **options: Any) -> Any:
		made = set_up(hosts, *arguments, **options)
		eventually(lambda: told)
		assert told[0].posts is not None
		told[0].posts.note_arrival("Main gate", Page(punches=(), cursor=START))
		return made

	monkeypatch.setattr(HttpHosts, "set_up", set_up_and_post)
	with HikvisionTerminal(state) as terminal, an_agent(tmp_path, terminal.port) as agent:
		told.append(agent)
		eventually(lambda: state_of(agent).get("told_at"))
		assert state_of(agent)["arrived_at"] is not None


def test_a_post_and_a_pull_are_one_punch(tmp_path: Path, state: HikvisionState) -> None:
	with HikvisionTerminal(state) as terminal, an_agent(tmp_path, terminal.port) as agent:
		eventually(lambda: state_of(agent).get("told_at"))
		verbs.punch(state, "1")
		eventually(lambda: users(agent) == ["1"])
		read_now(agent)
		assert users(agent) == ["1"]
		assert agent.book.all()[0].last_pull_new == 0


def test_one_that_drops_the_path_is_named(tmp_path: Path, state: HikvisionState) -> None:
	verbs.set_fault(state, "hosts-drop-url")
	with HikvisionTerminal(state) as terminal, an_agent(tmp_path, terminal.port) as agent:
		eventually(lambda: "url" in state_of(agent).get("not_kept", []))


def test_one_that_accepts_and_never_delivers_is_found_out(tmp_path: Path, state: HikvisionState) -> None:
	verbs.set_fault(state, "hosts-never-deliver")
	now = Ahead()
	with HikvisionTerminal(state) as terminal, an_agent(tmp_path, terminal.port, now=now) as agent:
		eventually(lambda: state_of(agent).get("told_at"))
		for user in ("1", "2"):
			verbs.punch(state, user)
			read_and_compared(agent)
		assert users(agent) == ["1", "2"]
		now.by = LATE * 2
		eventually(lambda: state_of(agent)["delivery"] == "never")


def test_heartbeats_alone_are_no_delivery(tmp_path: Path, state: HikvisionState) -> None:
	now = Ahead()
	with HikvisionTerminal(state) as terminal, an_agent(tmp_path, terminal.port, now=now) as agent:
		eventually(lambda: state_of(agent).get("told_at"))
		verbs.set_fault(state, "hosts-never-deliver")
		for user in ("1", "2"):
			verbs.punch(state, user)
			read_and_compared(agent)
		now.by = LATE * 2
		assert agent.posts is not None
		agent.posts.note_arrival("Main gate", Page(punches=(), cursor=START))
		eventually(lambda: state_of(agent)["delivery"] == "never")


def test_an_agent_that_starts_again_leaves_a_terminal_as_it_told_it(
	tmp_path: Path, state: HikvisionState, reserve_port: Callable[[], int]
) -> None:
	port = reserve_port()
	with HikvisionTerminal(state) as terminal:
		with an_agent(tmp_path, terminal.port, receiver_port=port) as agent:
			eventually(lambda: state_of(agent).get("told_at"))
			told = state.hosts[1]
		with an_agent(tmp_path, terminal.port, receiver_port=port) as agent:
			eventually(lambda: state_of(agent).get("told_at"))
			verbs.punch(state, "1")
			eventually(lambda: users(agent) == ["1"])
		assert state.hosts[1] is told
		assert not state.hosts[2].is_set


def test_another_terminal_at_the_address_does_not_post_under_its_name(
	tmp_path: Path, state: HikvisionState
) -> None:
	now = Ahead()
	with HikvisionTerminal(state) as terminal, an_agent(tmp_path, terminal.port, now=now) as agent:
		eventually(lambda: state_of(agent).get("told_at"))
		told = state.hosts[1]
		state.serial = "HIK2"
		now.by = posts.AGAIN * 2  # silent for so long that it is told anew
		eventually(lambda: state_of(agent)["code"] == "wrong_device")
		assert state.hosts[1] is told


def test_a_fault_with_one_terminal_does_not_end_the_duty(
	tmp_path: Path, state: HikvisionState, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(posts, "address_towards", lambda device: 1 / 0)
	with HikvisionTerminal(state) as terminal, an_agent(tmp_path, terminal.port) as agent:
		eventually(lambda: state_of(agent).get("code") == "device_error")
		assert agent.supervisor.states["posts"].value == "running"


def test_without_a_token_nobody_is_told(tmp_path: Path, state: HikvisionState) -> None:
	with HikvisionTerminal(state) as terminal, an_agent(tmp_path, terminal.port, token="") as agent:
		eventually(lambda: state_of(agent).get("code") == "secret_missing")
		assert state.hosts == {} or not any(host.is_set for host in state.hosts.values())
