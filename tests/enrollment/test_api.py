"""Enrollments over HTTP, as programs use them: with a key, on the whole agent."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from attendance_bridge.core.template import Pose
from attendance_bridge.edge.enrollment.pictures import MAX_FRAME_BYTES
from attendance_bridge.edge.enrollment.session import POSES
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.stores.accounts import Accounts
from attendance_bridge.stores.audit import AuditLog
from tests.edge.vision.rig import Scene, Sight
from tests.enrollment.office import address, drawn, office

PATIENCE = 60.0


class Program:
	"""A program with a key of one scope."""

	def __init__(self, sight: Sight, scope: Scope | None = Scope.ENROLL) -> None:
		self._base = f"{address(sight)}/api/v1/enrollments"
		self._headers: dict[str, str] = {}
		if scope is not None:
			key = f"abk_{scope.value}"
			accounts = Accounts(sight.agent.database)
			accounts.add_key(scope.value, key, (scope.value,), by="test", at=sight.agent._now())
			self._headers["Authorization"] = f"Bearer {key}"

	def call(self, method: str, path: str = "", **given: Any) -> requests.Response:
		headers = {**self._headers, **given.pop("headers", {})}
		url = f"{self._base}{'/' if path else ''}{path}"
		return requests.request(method, url, headers=headers, timeout=PATIENCE, **given)

	def consent(self) -> str:
		return str(self.call("GET", "consent").json()["sha256"])

	def begin(self, **changes: Any) -> requests.Response:
		body = {"employee": "HR-EMP-1", "source": "browser", "consent_sha256": self.consent()}
		return self.call("POST", json={**body, **changes})

	def picture(self, id: str, data: bytes, kind: str = "frame") -> requests.Response:
		return self.call("POST", f"{id}/{kind}", data=data, headers={"Content-Type": "image/jpeg"})


@pytest.fixture
def sight(tmp_path: Path, scene: Scene) -> Iterator[Sight]:
	with office(tmp_path) as running:
		yield running


@pytest.fixture
def program(sight: Sight) -> Program:
	return Program(sight)


def test_a_program_enrols_somebody(sight: Sight, program: Program) -> None:
	(first, _second) = program.call("GET", "people").json()["people"]
	assert (first["name"], first["templates"]) == ("First Person", 0)
	begun = program.begin()
	state = begun.json()
	assert (begun.status_code, state["state"], state["pose"]) == (200, "capturing", "front")
	pictures = {pose.value: drawn(1, pose) for pose in POSES}
	deadline = time.monotonic() + PATIENCE
	while not state["over"] and time.monotonic() < deadline:
		state = program.picture(state["id"], pictures[state["pose"]]).json()
		time.sleep(0.15)
	assert (state["state"], state["progress"], state["face"]) == ("submitted", 1, None)
	assert program.call("GET", state["id"]).json() == state
	assert [each["templates"] for each in program.call("GET", "people").json()["people"]] == [5, 0]
	done = AuditLog(sight.agent.database).latest()[0]
	assert (done.act, done.who, done.subject, done.address) == (
		"enrolled",
		"key enroll",
		"HR-EMP-1",
		"127.0.0.1",
	)


def test_states_come_as_events(program: Program) -> None:
	state = program.begin(source="photo").json()
	with program.call("GET", f"{state['id']}/events", stream=True) as events:
		assert events.headers["Content-Type"].startswith("text/event-stream")
		lines = (line[6:] for line in events.iter_lines(decode_unicode=True) if line.startswith("data: "))
		assert json.loads(next(lines))["state"] == "capturing"
		program.picture(state["id"], drawn(1), "photo")
		told = [json.loads(line) for line in lines]
	assert told[-1]["state"] == "submitted"


def test_a_program_cancels(program: Program) -> None:
	state = program.begin().json()
	assert program.call("DELETE", state["id"]).json()["state"] == "cancelled"
	assert program.picture(state["id"], drawn(1)).json()["state"] == "cancelled"


@pytest.mark.parametrize(
	("query", "names"),
	[
		({"q": "second"}, ["Second Person"]),
		({"q": "  PERSON fir "}, ["First Person"]),
		({"q": "32"}, ["Second Person"]),
		({"initial": "F"}, ["First Person"]),
		({"q": "nobody"}, []),
	],
)
def test_people_are_found(program: Program, query: dict[str, str], names: list[str]) -> None:
	found = program.call("GET", "people", params=query).json()
	assert [each["name"] for each in found["people"]] == names
	assert found["initials"] == ["F", "S"]


CALLS = [
	("GET", "people"),
	("GET", "consent"),
	("POST", ""),
	("GET", "0" * 32),
	("GET", "0" * 32 + "/events"),
	("POST", "0" * 32 + "/frame"),
	("POST", "0" * 32 + "/photo"),
	("DELETE", "0" * 32),
]


@pytest.mark.parametrize(("scope", "status"), [(None, 401), (Scope.VIEW, 403), (Scope.KIOSK, 403)])
def test_only_whoever_may_enrol(sight: Sight, scope: Scope | None, status: int) -> None:
	program = Program(sight, scope)
	for method, path in CALLS:
		answer = program.call(method, path)
		# From this machine the kiosk may be seen by everybody: not logged in is still not allowed.
		assert answer.status_code == status, (method, path, answer.text)


@pytest.mark.parametrize(
	("changes", "status", "code"),
	[
		({"employee": "HR-EMP-404"}, 404, "no_such_person"),
		({"consent_sha256": ""}, 409, "consent_missing"),
		({"consent_sha256": "ab" * 32}, 409, "consent_changed"),
		({"employee": 7}, 422, "bad_value"),
		({"employee": "x" * 141}, 422, "bad_value"),
		({"source": "file:///etc/passwd"}, 422, "bad_value"),
		({"replace": {}}, 422, "bad_value"),
		({"accepted": "HR-EMP-2"}, 422, "bad_value"),
		({"accepted": ["x"] * 11}, 422, "bad_value"),
		({"surprise": 1}, 422, "bad_value"),
	],
)
def test_what_is_wrong_is_told_by_a_code(
	program: Program, changes: dict[str, Any], status: int, code: str
) -> None:
	answer = program.begin(**changes)
	assert (answer.status_code, answer.json()["error"]) == (status, code)


def test_pictures_are_bounded(program: Program) -> None:
	state = program.begin().json()
	large = program.picture(state["id"], b"\xff\xd8\xff" + bytes(MAX_FRAME_BYTES))
	assert (large.status_code, large.json()["error"]) == (413, "too_large")
	none = program.picture(state["id"], b"<html>")
	assert (none.status_code, none.json()["error"]) == (400, "not_a_picture")
	other = program.picture(state["id"], drawn(1, Pose.FRONT), "photo")
	assert (other.status_code, other.json()["error"]) == (409, "other_source")
	gone = program.picture("0" * 32, drawn(1))
	assert (gone.status_code, gone.json()["error"]) == (404, "no_such_enrollment")
