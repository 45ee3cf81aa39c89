"""The whole agent, wired as it is run: simulated terminals on one side, a ledger or a site on the other."""

from __future__ import annotations

import http.client
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.errors import Code, ConfigError, StoreError
from attendance_bridge.core.projection import State
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.settings import from_mapping
from attendance_bridge.edge.supervisor import WorkerState
from attendance_bridge.simulators.frappe_site import FrappeSite, SiteState
from attendance_bridge.simulators.frappe_site import verbs as site_verbs
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal
from attendance_bridge.simulators.hikvision import verbs as hikvision_verbs
from attendance_bridge.simulators.hikvision.state import USER
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from tests.edge.rig import PATIENCE, ZONE, eventually

PASSWORD = "correct-horse-7"
COMM_KEY = 471_100_471
PASSES = 60


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setenv("GATE_PASSWORD", PASSWORD)
	monkeypatch.setenv("WORKSHOP_COMM_KEY", str(COMM_KEY))


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
	before = set(threading.enumerate())
	yield
	eventually(lambda: set(threading.enumerate()) <= before, "no thread is left")


class Plant:
	"""Two terminals at which one person passed by turns, every ten minutes from this time yesterday on."""

	def __init__(self) -> None:
		self.gate = HikvisionState(serial="HIK1", zone=ZONE, password=PASSWORD)
		self.workshop = ZktecoState(serial="ZK1", zone=ZONE, comm_key=COMM_KEY)
		self.workshop.add_user("7", name="Somebody")
		hikvision_verbs.enroll(self.gate, "7", "Somebody")
		yesterday = datetime.now(ZONE).replace(second=0, microsecond=0) - timedelta(days=1)
		for number in range(PASSES):
			moment = yesterday + timedelta(minutes=10 * number)
			if number % 2:
				hikvision_verbs.punch(self.gate, "7", at=moment)
			else:
				wall_time = moment.replace(tzinfo=None)
				self.workshop.record("7", wall_time, VerifyMode.FINGER, DeviceKey.UNDEFINED)

	@contextmanager
	def open(self) -> Iterator[tuple[int, int]]:
		with HikvisionTerminal(self.gate) as gate, ZktecoTerminal(self.workshop) as workshop:
			yield gate.port, workshop.port


def configuration(
	folder: Path, ports: tuple[int, int], upstream: Mapping[str, Any] | None = None, **agent: Any
) -> dict[str, Any]:
	common = {"host": "127.0.0.1", "timezone": ZONE.key, "role": "both", "poll_seconds": 1.0}
	return {
		"agent": {"name": "Plant", "database": str(folder / "edge.db"), **agent},
		"upstream": dict(upstream or {"kind": "local_ledger"}),
		"web": {"port": 0},
		"devices": [
			{
				**common,
				"name": "Main gate",
				"driver": "hikvision_isapi",
				"port": ports[0],
				"user": USER,
				"password_env": "GATE_PASSWORD",
			},
			{
				**common,
				"name": "Workshop",
				"driver": "zkteco_tcp",
				"port": ports[1],
				"comm_key_env": "WORKSHOP_COMM_KEY",
			},
		],
	}


def read_once(mapping: dict[str, Any]) -> dict[str, Any]:
	"""Of a terminal that is just being read the board says so, every second for a moment."""
	for device in mapping["devices"]:
		device["poll_seconds"] = 600.0
	return mapping


@contextmanager
def at_work(mapping: Mapping[str, Any]) -> Iterator[Agent]:
	agent = Agent(from_mapping(mapping))
	try:
		agent.start()
		yield agent
	finally:
		agent.request_stop()
		agent.wait()
		agent.close()


def ask(agent: Agent, path: str) -> tuple[int, bytes]:
	assert agent.web is not None
	connection = http.client.HTTPConnection("127.0.0.1", agent.web.port, timeout=PATIENCE)
	try:
		connection.request("GET", path)
		answer = connection.getresponse()
		return answer.status, answer.read()
	finally:
		connection.close()


def checked_in(agent: Agent) -> int:
	return agent.punches.counts()[State.CHECKED_IN]


# the journey


def test_a_backlog_on_two_terminals_comes_out_in_order(tmp_path: Path) -> None:
	plant = Plant()
	plant.gate.slow_seconds = 0.03
	hikvision_verbs.set_fault(plant.gate, "slow")  # the other terminal is through long before
	with plant.open() as ports, at_work(configuration(tmp_path, ports)) as agent:
		eventually(lambda: checked_in(agent) == PASSES)
		held = list(agent.punches.each())
	assert [each.punch.device_serial for each in held] == ["ZK1", "HIK1"] * (PASSES // 2)
	assert [each.log_type for each in held] == [LogType.IN, LogType.OUT] * (PASSES // 2)


def test_a_punch_now_is_on_the_board_of_whoever_watches(tmp_path: Path) -> None:
	plant = Plant()
	with plant.open() as ports, at_work(configuration(tmp_path, ports)) as agent:
		eventually(lambda: checked_in(agent) == PASSES)
		assert agent.web is not None
		connection = http.client.HTTPConnection("127.0.0.1", agent.web.port, timeout=PATIENCE)
		connection.request("GET", "/events")
		with connection.getresponse() as stream:
			hikvision_verbs.enroll(plant.gate, "8", "Another")
			hikvision_verbs.punch(plant.gate, "8")
			for line in iter(stream.readline, b""):
				if line.startswith(b"data: ") and b'"person": "8"' in line:
					break
			else:
				pytest.fail("the stream ended without it")
			agent.request_stop()
			ending = threading.Thread(target=agent.wait)
			ending.start()
			while stream.readline():
				pass
			ending.join()
		connection.close()


def test_the_pages_of_an_agent_at_work(tmp_path: Path) -> None:
	plant = Plant()
	with plant.open() as ports, at_work(read_once(configuration(tmp_path, ports))) as agent:
		eventually(lambda: checked_in(agent) == PASSES)
		eventually(lambda: not agent.poller.progress)
		status, body = ask(agent, "/api/v1/board")
		board = json.loads(body)
		assert (status, {device["state"] for device in board["devices"]}) == (200, {"online"})
		assert len(board["checkins"]) == PASSES
		status, body = ask(agent, "/healthz")
		assert (status, json.loads(body)) == (
			200,
			{
				"ok": True,
				"workers": {
					"poller": "running",
					"uploader": "running",
					"listener": "running",
					"web": "running",
				},
				"waiting": 0,
			},
		)
		assert (
			b'attendance_bridge_device_up{device="Main gate",serial="HIK1"} 1.0' in ask(agent, "/metrics")[1]
		)


def test_no_secret_is_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
	caplog.set_level(logging.DEBUG)
	plant, site = Plant(), SiteState(time_zone=ZONE.key)
	site_verbs.hire(site, "HR-EMP-1", device_id="7")
	secrets = [PASSWORD, str(COMM_KEY), site.api_key, site.api_secret]
	with pytest.MonkeyPatch.context() as patch, FrappeSite(site) as served, plant.open() as ports:
		patch.setenv("SITE_KEY", site.api_key)
		patch.setenv("SITE_SECRET", site.api_secret)
		upstream = {
			"kind": "erpnext_rest",
			"url": served.url,
			"timezone": ZONE.key,
			"api_key_env": "SITE_KEY",
			"api_secret_env": "SITE_SECRET",
		}
		with at_work(configuration(tmp_path, ports, upstream)) as agent:
			eventually(lambda: checked_in(agent) == PASSES)
			hikvision_verbs.change_password(plant.gate, "another")
			plant.workshop.comm_key = 1
			site_verbs.change_secret(site, "another")
			eventually(lambda: all(each.last_error_code == "auth_failed" for each in agent.book.all()))
			pages = b"".join(ask(agent, path)[1] for path in ("/", "/api/v1/board", "/healthz", "/metrics"))
			assert b"refused the user" in pages
			settings = repr(agent.settings)
	stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
	for secret in secrets:
		assert secret not in caplog.text + settings
		assert secret.encode() not in pages + stored


def test_a_wrong_password_is_tried_once_however_long_the_agent_runs(tmp_path: Path) -> None:
	plant = Plant()
	hikvision_verbs.change_password(plant.gate, "another")
	with plant.open() as ports, at_work(configuration(tmp_path, ports)) as agent:
		# The other terminal is read every second meanwhile.
		eventually(lambda: plant.workshop.counters["connect"] >= 3)
		eventually(lambda: checked_in(agent) == PASSES // 2)
		assert json.loads(ask(agent, "/api/v1/board")[1])["devices"][0]["state"] == "refused"
	assert plant.gate.counters.credentialed_401 == 1


# beginning and end


def test_a_new_agent_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
	plant = Plant()
	with plant.open() as ports:
		with at_work(configuration(tmp_path, ports)) as agent:
			eventually(lambda: len(agent.punches.held(limit=PASSES)) > 0)
		with at_work(configuration(tmp_path, ports)) as agent:
			eventually(lambda: checked_in(agent) == PASSES)
			assert [each.log_type for each in agent.punches.each()] == [LogType.IN, LogType.OUT] * (
				PASSES // 2
			)


def test_an_agent_that_is_only_closed_ends_all_the_same(tmp_path: Path) -> None:
	plant = Plant()
	with plant.open() as ports:
		agent = Agent(from_mapping(configuration(tmp_path, ports)))
		agent.start()
		agent.close()
	assert set(agent.supervisor.states.values()) == {WorkerState.STOPPED}


def test_an_agent_that_was_never_started_can_be_closed(tmp_path: Path) -> None:
	Agent(from_mapping(configuration(tmp_path, (1, 1)))).close()


def test_a_stop_does_not_wait_for_the_rest_of_a_batch(
	tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	plant, site = Plant(), SiteState(time_zone=ZONE.key, service_seconds=0.2, workers=1)
	site_verbs.hire(site, "HR-EMP-1", device_id="7")
	monkeypatch.setenv("SITE_KEY", site.api_key)
	monkeypatch.setenv("SITE_SECRET", site.api_secret)
	with FrappeSite(site) as served, plant.open() as ports:
		upstream = {
			"kind": "erpnext_rest",
			"url": served.url,
			"timezone": ZONE.key,
			"api_key_env": "SITE_KEY",
			"api_secret_env": "SITE_SECRET",
		}
		agent = Agent(from_mapping(configuration(tmp_path, ports, upstream)))
		agent.start()
		eventually(lambda: site.counters["accepted"] > 2)
		asked_at = time.monotonic()
		agent.request_stop()
		agent.wait()
		# The whole batch takes twelve seconds.
		assert time.monotonic() - asked_at < 4
		# Nothing that the site holds is unknown here, and nothing is in doubt.
		assert checked_in(agent) == site.counters["accepted"] < PASSES
		assert agent.outbox.backlog(datetime.now(timezone.utc)).in_doubt == 0
		agent.close()


def test_a_database_that_is_no_database(tmp_path: Path) -> None:
	(tmp_path / "edge.db").write_text("no database at all, but long enough to be one" * 100, encoding="ascii")
	with pytest.raises(StoreError) as caught:
		Agent(from_mapping(configuration(tmp_path, (1, 1))))
	assert caught.value.code is Code.DATABASE_UNREADABLE


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
	plant = Plant()
	with plant.open() as ports:
		mapping = configuration(tmp_path, ports)
		mapping["web"] = {"port": ports[0]}
		# It has its port, and its threads, by then: they must not keep the process from ending.
		mapping["receiver"] = {"enabled": True, "host": "127.0.0.1", "port": 0}
		with pytest.raises(ConfigError) as caught:
			Agent(from_mapping(mapping))
	assert (caught.value.code, caught.value.details["path"]) == (Code.BAD_VALUE, "web.port")
	assert plant.gate.counters.requests.total() == 0


def test_without_pages(tmp_path: Path, reserve_port: Callable[[], int]) -> None:
	mapping = configuration(tmp_path, (reserve_port(), reserve_port()))
	mapping["web"] = {"enabled": False}
	with at_work(mapping) as agent:
		eventually(lambda: len([each for each in agent.book.all() if each.last_error_code]) == 2)
		assert agent.web is None


# an agent that has nothing to do


def test_an_idle_agent_hardly_uses_the_processor(tmp_path: Path) -> None:
	plant = Plant()
	with plant.open() as ports, at_work(read_once(configuration(tmp_path, ports))) as agent:
		eventually(lambda: checked_in(agent) == PASSES)
		used, began = time.process_time(), time.monotonic()
		time.sleep(1.0)  # the terminals of this process idle along with it
		share = (time.process_time() - used) / (time.monotonic() - began)
	assert share < 0.25
