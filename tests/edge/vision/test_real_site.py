"""Agents with cameras in front of a real site that has the app; skipped unless one is named.

Environment variables as in tests/upstreams/test_frappe_bridge_real_site.py; a site for trials is meant:
what is made there stays.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from attendance_bridge.core import drawn_face
from attendance_bridge.edge import face_sync, heartbeat, settings
from attendance_bridge.edge.agent import Agent
from attendance_bridge.edge.enrollment.entry import Source, Start
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.simulators.camera import verbs
from attendance_bridge.stores.consents import Consents
from tests.edge.vision.rig import Scene, Sight, configuration, eventually, seeing
from tests.enrollment.office import drawn
from tests.upstreams.real_site import EMPLOYEE, IS_NAMED, NONE_NAMED, URL, Site

pytestmark = pytest.mark.skipif(not IS_NAMED, reason=NONE_NAMED)

AGENT, DEVICE = "/api/resource/Edge Agent", "/api/resource/Device Configuration"
FACE, CONSENT, ERASURE = (
	f"/api/resource/{doctype}" for doctype in ("Face Template", "Face Consent", "Biometric Erasure")
)
METHOD = "/api/method/attendance_bridge.api"


class Doors:
	"""Two agents on the site, and one person."""

	def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
		self.site = Site()
		self.mark = f"cam-{uuid.uuid4().hex[:8]}"
		self.keys = [self._agent(number, monkeypatch) for number in (1, 2)]
		self.device_id = f"{self.mark}-1"
		self.employee = self.site.hire(self.mark, self.device_id)
		self.face = uuid.uuid4().int % drawn_face.PEOPLE
		"""Of our person; whoever was drawn before is somebody else's on the site."""

	def agent(self, number: int) -> str:
		return f"{self.mark} {number}"

	def _agent(self, number: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
		name = self.agent(number)
		user = self.site.request("POST", AGENT, json={"agent_name": name})["user"]
		answer = self.call("agents.make_api_key", agent=name)
		assert user
		secrets = {"api_key": answer["api_key"], "api_secret": answer["api_secret"]}
		upstream: dict[str, Any] = {"kind": "frappe_bridge", "url": URL, "timeout": 60.0}
		for option, secret in secrets.items():
			monkeypatch.setenv(f"{option}_{number}".upper(), secret)
			upstream[f"{option}_env"] = f"{option}_{number}".upper()
		return upstream

	def post(self, method: str, **values: Any) -> Any:
		return self.site.session.post(f"{URL.rstrip('/')}{METHOD}.{method}", json=values, timeout=60)

	def call(self, method: str, **values: Any) -> Any:
		answer = self.post(method, **values)
		assert answer.ok, answer.text[:800]
		return answer.json().get("message")

	def enter_camera(self, number: int, **values: Any) -> Any:
		facts = {
			"device_name": f"Camera {self.agent(number)}",
			"driver": "edge_camera",
			"edge_agent": self.agent(number),
			"time_zone": "Asia/Dubai",
			**values,
		}
		return self.site.session.post(f"{URL.rstrip('/')}{quote(DEVICE)}", json=facts, timeout=60)

	def device(self, number: int) -> Mapping[str, Any]:
		found: Mapping[str, Any] = self.site.request("GET", f"{DEVICE}/Camera {self.agent(number)}")
		return found

	@contextlib.contextmanager
	def open(self, number: int, folder: Path) -> Iterator[Sight]:
		(folder / str(number)).mkdir()
		tables = configuration(
			folder / str(number),
			upstream=self.keys[number - 1],
			agent={
				"name": self.agent(number),
				"database": str(folder / str(number) / "edge.db"),
				"timezone": "Asia/Dubai",
			},
		)
		with seeing(tables, enrolled={}) as sight:
			eventually(lambda: any(each.employee == self.employee for each in sight.agent.roster.people()))
			yield sight

	def enrol(self, sight: Sight) -> None:
		service = sight.agent.enrollment
		assert service is not None
		entry = service.start(
			Start(
				employee=self.employee,
				source=Source.PHOTO,
				consent_sha256=service.consent_text.sha256,
				who="hr@example.com",
			)
		)
		service.take_picture(entry.id, drawn(self.face), Source.PHOTO)
		assert entry.session.state.value == "submitted"

	def confirmations(self) -> list[Mapping[str, Any]]:
		"""What the site's record of the withdrawal says of our agents."""
		wanted = [["employee", "=", self.employee], ["reason", "=", "Withdrawn"]]
		(record,) = self.site.rows(ERASURE, ["name"], "name asc", wanted)
		rows = self.site.request("GET", f"{ERASURE}/{record['name']}")["confirmations"]
		return [row for row in rows if row["agent"].startswith(self.mark)]

	def templates(self) -> list[str]:
		rows = self.site.rows(FACE, ["name"], "name asc", [["employee", "=", self.employee]])
		return [row["name"] for row in rows]


@pytest.fixture
def doors(monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
	monkeypatch.setattr(heartbeat, "EVERY", timedelta(seconds=1))
	monkeypatch.setattr(face_sync, "EVERY", timedelta(seconds=1))
	doors = Doors(monkeypatch)
	yield doors
	doors.call("faces.withdraw", employee=doors.employee)
	# What is left must not be taken for somebody of the next run.
	doors.site.request(
		"PUT", f"{EMPLOYEE}/{doors.employee}", json={"attendance_device_id": f"{doors.mark}-gone"}
	)


def held_here(sight: Sight, employee: str) -> list[str]:
	return sorted(str(each.template_id) for each in sight.vision.gallery.by_employee(employee))


def in_memory(sight: Sight, employee: str) -> int:
	"""How many templates of somebody faces are compared with."""
	return int(sight.vision._matcher._held.columns_of(employee).size)


def test_a_camera_asks_for_its_agent_and_for_no_address(doors: Doors) -> None:
	refused = doors.enter_camera(1, edge_agent=None)
	assert refused.status_code == 417
	assert "needs that agent" in refused.text
	assert doors.enter_camera(1, device_ip="192.0.2.7", port=80, device_user="admin").status_code == 200
	device = doors.device(1)
	assert (device.get("device_ip"), device["port"], device.get("device_user")) == (None, 0, None)
	assert (device["road"], device.get("serial_number")) == ("Relayed", None)
	second = doors.enter_camera(1, device_name=f"Another {doors.mark}")
	assert second.status_code == 417
	assert "An agent has one" in second.text
	name = device["name"]
	answer = doors.call("devices.test_connection", device=name)
	assert "is the camera of the Edge Agent" in answer["error"]
	assert doors.agent(1) in answer["error"]
	for method in ("fetch_checkins", "download_diagnostics"):
		said = doors.post(f"devices.{method}", device=name)
		assert said.status_code == 417
		assert "nobody calls it from here" in said.text
	assert doors.device(1).get("last_error") is None


def test_from_a_face_to_a_check_in(doors: Doors, scene: Scene, tmp_path: Path) -> None:
	assert doors.enter_camera(1).ok
	name = doors.device(1)["name"]
	with doors.open(1, tmp_path) as sight:
		doors.enrol(sight)
		# Its serial number is learnt by its heartbeat.
		eventually(lambda: doors.device(1).get("serial_number") == sight.vision.terminal.serial)
		verbs.come(scene.state, doors.face)
		sight.wait_for(EventType.PUNCH)
		sight.wait_for(EventType.DECIDED)
		fields = ["name", "device", "employee", "status", "employee_checkin", "device_serial"]
		rows = doors.site.rows("/api/resource/Punch Log", fields, "name asc", [["device", "=", name]])
		(punch,) = rows
		assert (punch["employee"], punch["status"]) == (doors.employee, "Checked in")
		assert punch["device_serial"] == sight.vision.terminal.serial
		checkin = doors.site.request("GET", f"/api/resource/Employee Checkin/{punch['employee_checkin']}")
		assert (checkin["employee"], checkin["log_type"]) == (doors.employee, "IN")
		eventually(lambda: doors.device(1).get("last_contact") is not None)
		assert doors.device(1)["model"] == "Simulated camera"


def test_a_blind_agent_tells_the_site(
	doors: Doors, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	assert doors.enter_camera(1).ok
	monkeypatch.delenv("TEST_GALLERY_KEY")
	agent = Agent(settings.from_mapping(configuration(tmp_path, upstream=doors.keys[0])))
	try:
		agent.start()
		eventually(lambda: doors.device(1).get("last_error_code") == "gallery_key_missing")
		assert doors.device(1)["last_error"] == "The edge agent has no key for its face templates."
	finally:
		agent.request_stop()
		agent.wait()
		agent.close()


def test_enrolled_here_and_again_there_then_withdrawn(doors: Doors, scene: Scene, tmp_path: Path) -> None:
	with doors.open(1, tmp_path) as gate, doors.open(2, tmp_path) as hall:
		doors.enrol(gate)
		first = held_here(gate, doors.employee)
		assert len(first) == 1
		eventually(lambda: doors.templates() == first)
		eventually(lambda: held_here(hall, doors.employee) == first)
		# The record of the consent says in which language it was, and who heard it.
		(given,) = doors.site.rows(
			CONSENT, ["text_language", "given_to", "text_sha256"], "name", [["employee", "=", doors.employee]]
		)
		assert (given["text_language"], given["given_to"]) == ("en", f"{doors.agent(1)}: hr@example.com")

		doors.enrol(hall)
		second = held_here(hall, doors.employee)
		assert not set(first) & set(second)
		eventually(lambda: doors.templates() == second)
		eventually(lambda: held_here(gate, doors.employee) == second)
		for sight in (gate, hall):
			eventually(partial(in_memory, sight, doors.employee))
			assert in_memory(sight, doors.employee) == 1

		doors.call("faces.withdraw", employee=doors.employee)
		assert doors.templates() == []
		for sight in (gate, hall):
			eventually(lambda: not in_memory(sight, doors.employee))  # noqa: B023
			assert held_here(sight, doors.employee) == []
			found = Consents(sight.agent.database).of(doors.employee)
			assert found is not None
			assert not found.holds
		eventually(lambda: all(row.get("traces_gone_at") for row in doors.confirmations()))
		assert len(doors.confirmations()) == 2
		assert [row["templates"] for row in doors.confirmations()] == [1, 1]
		assert all(row["confirmed_at"] for row in doors.confirmations())
		verbs.come(scene.state, doors.face)
		gate.wait_for(EventType.UNKNOWN)
		assert gate.held() == hall.held() == []
