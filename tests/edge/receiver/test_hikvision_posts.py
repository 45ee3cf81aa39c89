"""Hikvision terminals that post their events to an agent."""

from __future__ import annotations

import io
import json
import sqlite3
import tracemalloc
from datetime import timedelta
from typing import Any

import pytest

from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi.config import Config
from attendance_bridge.drivers.zkteco_adms.desk import Gate
from attendance_bridge.edge.receiver.hikvision import HikvisionPosts
from attendance_bridge.edge.settings import Device, DeviceSettings
from tests.edge.receiver.conftest import DUBAI, Clock, Open, Premises

TOKEN = "abcdefghijklmnop"
PATH = f"/hikvision/{TOKEN}/HIK1"


def gate(*, enabled: bool = True, serial: str = "HIK1") -> Device:
	settings = DeviceSettings(
		name="Main gate", driver="hikvision_isapi", timezone=DUBAI, serial=serial, enabled=enabled
	)
	return Device(settings=settings, config=Config(host="192.0.2.10", user="admin", password=Secret("x")))


def event(minute: int = 59, **fields: Any) -> bytes:
	inner = {
		"majorEventType": 5,
		"subEventType": 75,
		"serialNo": minute,
		"employeeNoString": "007",
		"currentEvent": True,
		**fields,
	}
	told = {
		"eventType": "AccessControllerEvent",
		"eventState": "active",
		"dateTime": f"2026-11-26T11:{minute:02}:00+04:00",
		"AccessControllerEvent": inner,
	}
	return json.dumps(told).encode()


@pytest.fixture
def premises(open_premises: Open) -> Premises:
	return open_premises(gate(), token=Secret(TOKEN))


def test_a_post_is_held_before_it_is_answered(premises: Premises) -> None:
	for _time in range(3):
		assert premises.post(PATH, event()).status == 200
	(held,) = premises.punches.held()
	assert (held.punch.device_serial, held.punch.device_user_id) == ("HIK1", "007")
	assert premises.woken == 1
	assert premises.read_soon == []


def test_stored_history_that_is_posted_is_held_too(premises: Premises) -> None:
	assert premises.post(PATH, event(1, currentEvent=False)).status == 200
	assert len(premises.punches.held()) == 1
	assert premises.woken == 1


def test_what_comes_damaged_is_read_soon_and_not_all_the_time(premises: Premises, clock: Clock) -> None:
	for _time in range(3):
		assert premises.post(PATH, event(employeeNoString="x" * 100)).status == 200
	assert premises.read_soon == ["Main gate"]
	clock.pass_(timedelta(minutes=1))
	premises.post(PATH, event(employeeNoString="x" * 100))
	assert premises.read_soon == ["Main gate"] * 2


@pytest.mark.parametrize(
	"path",
	[
		"/hikvision",
		"/hikvision/",
		"/hikvision/HIK1",
		f"/hikvision/{TOKEN}",
		f"/hikvision/{TOKEN}/OTHER",
		f"/hikvision/{TOKEN}x/HIK1",
		f"/hikvision/{TOKEN}/HIK1/more",
	],
)
def test_another_path_is_nobodys(premises: Premises, path: str) -> None:
	assert premises.post(path, event()).status == 404
	assert premises.punches.held() == []


def test_without_a_token_nobody_posts(open_premises: Open) -> None:
	premises = open_premises(gate())
	assert premises.post("/hikvision//HIK1", event()).status == 404
	assert premises.post("/hikvision/x/HIK1", event()).status == 404


def test_one_that_is_switched_off_or_elsewhere_is_not_taken(open_premises: Open) -> None:
	premises = open_premises(gate(enabled=False), token=Secret(TOKEN))
	assert premises.post(PATH, event()).status == 404
	premises.close()
	premises = open_premises(gate(), token=Secret(TOKEN), networks="192.0.2.0/24")
	with pytest.raises(ConnectionError):
		premises.post(PATH, event())
	assert premises.punches.held() == []


def test_guessing_is_slowed_down(premises: Premises) -> None:
	statuses = {premises.post("/hikvision/guess/HIK1", event()).status for _time in range(25)}
	assert statuses == {404, 429}
	assert premises.post(PATH, event()).status == 200


def test_what_a_stranger_sends_fills_no_memory() -> None:
	posts = HikvisionPosts(
		Gate(token=Secret(TOKEN), networks=()),
		devices=lambda: [gate()],
		serials=dict,
		hold=lambda page, serial: None,
		read_soon=lambda name: None,
		now=Clock(),
	)
	body = io.BytesIO(bytes(4_000_000))
	environ = {"CONTENT_LENGTH": "4000000", "PATH_INFO": "/hikvision/guess/HIK1", "wsgi.input": body}
	statuses: list[str] = []
	tracemalloc.start()
	try:
		posts(environ, lambda status, _headers, _info=None: statuses.append(status))  # type: ignore[arg-type]
		_now, peak = tracemalloc.get_traced_memory()
	finally:
		tracemalloc.stop()
	assert statuses == ["404 Not Found"]
	assert body.tell() == 4_000_000
	assert peak < 1_000_000


def test_what_is_no_event(premises: Premises) -> None:
	assert premises.post(PATH, b"").status == 400
	assert premises.call("GET", PATH).status == 405


def test_what_cannot_be_held_is_not_taken(premises: Premises) -> None:
	premises.database._writer.execute("PRAGMA busy_timeout = 10")
	other = sqlite3.connect(premises.database.path, isolation_level=None)
	other.execute("BEGIN IMMEDIATE")
	assert premises.post(PATH, event()).status == 503
	other.execute("ROLLBACK")
	other.close()
	assert premises.post(PATH, event()).status == 200
