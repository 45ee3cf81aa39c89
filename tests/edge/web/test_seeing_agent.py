"""The pages and the JSON API of an agent with a camera: all its parts, over a real socket."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("onnxruntime", reason="the extra `recognition` is not installed")
pytest.importorskip("cv2", reason="the extra `recognition` is not installed")

import requests
import schemathesis
from schemathesis import GenerationMode

from attendance_bridge.core.consent import Consent
from attendance_bridge.core.template import Pose
from attendance_bridge.edge.cameras import simulated
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.edge.vision.portraits import look_at
from attendance_bridge.edge.web.access import access
from attendance_bridge.edge.web.access.passwords import hash_password
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.simulators.camera import verbs
from attendance_bridge.stores.accounts import Accounts
from attendance_bridge.stores.audit import AuditLog
from tests.edge.vision.conftest import _key
from tests.edge.vision.rig import Scene, Sight, configuration, eventually, people_file, portrait_of, seeing
from tests.edge.web.conftest import keep_picture
from tests.edge.web.rig import PASSWORD
from tests.edge.web.test_api import ITS_OWN, answers_as_described

__all__ = ["_key"]

Open = Callable[..., Any]
PEOPLE = (
	("HR-EMP-1", "31", "First Person"),
	("HR-EMP-2", "32", "Second Person"),
	("HR-EMP-3", "33", "Third Person"),
	("HR-EMP-4", "34", "Fourth Person"),
)
FIRST_FIVE = ("HR-EMP-1", "HR-EMP-2", "HR-EMP-3", "HR-EMP-4")
SIZES = {"800x480": (800, 480), "1024x600": (1024, 600), "1280x800": (1280, 800), "phone": (390, 844)}
PAGES = ["/", "/people", "/punches", "/status", "/enroll", "/api/v1/docs", "/kiosk"]
IS_WIDER = "() => document.scrollingElement.scrollWidth > innerWidth"


@pytest.fixture
def scene() -> Iterator[Scene]:
	simulated._scene_of.cache_clear()
	with Scene().playing() as played:
		yield played


def enrol_with_another_model(sight: Sight, employee: str, face: int) -> None:
	"""As somebody stands in the gallery after the company has changed its model pack."""
	now, engine = datetime.now(timezone.utc), sight.vision.engine
	sight.consents.give([Consent(employee=employee, given_at=now, text_version="1", text_sha256="0" * 64)])
	template = look_at(portrait_of(face), engine)[0].template(
		employee, engine.model, pose=Pose.FRONT, captured_at=now, captured_by="test"
	)
	sight.vision.gallery.add([replace(template, model="former@0123456789ab")])


@pytest.fixture
def sight(scene: Scene, tmp_path: Path) -> Iterator[Sight]:
	"""The first two can be recognised, the third must be enrolled again, the fourth never was."""
	mapping = configuration(
		tmp_path, web={"enabled": True, "port": 0}, kiosk={"choose_direction": True, "pause_seconds": 60}
	)
	people_file(tmp_path, PEOPLE)
	with seeing(mapping) as running:
		enrol_with_another_model(running, "HR-EMP-3", 3)
		accounts, now = Accounts(running.agent.database), datetime.now(timezone.utc)
		accounts.add("boss", "admin", hash_password(PASSWORD), by="test", at=now)
		eventually(lambda: running.agent.roster.people())
		yield running


def address(sight: Sight) -> str:
	assert sight.agent.web is not None
	return sight.agent.web.address.rstrip("/")


def key(sight: Sight, *scopes: Scope) -> dict[str, str]:
	accounts = Accounts(sight.agent.database)
	names = tuple(scope.value for scope in scopes)
	accounts.add_key("program", "abk_program", names, by="test", at=datetime.now(timezone.utc))
	return {"Authorization": "Bearer abk_program"}


def ask(sight: Sight, path: str, headers: dict[str, str], **query: str) -> Any:
	answer = requests.get(address(sight) + path, params=query, headers=headers, timeout=30)
	assert answer.status_code == 200, answer.text
	return answer.json()


# the API


def described(sight: Sight, headers: dict[str, str]) -> dict[str, Any]:
	found: dict[str, Any] = ask(sight, "/api/v1/openapi.json", headers)
	return found


def test_every_call_of_every_part_is_described(sight: Sight) -> None:
	assert sight.agent.web is not None
	app = sight.agent.web._server.wsgi_app
	calls = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")}
	paths = described(sight, key(sight, *Scope))["paths"]
	assert {re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", each) for each in calls - ITS_OWN} == set(paths)
	assert {"/api/v1/board", "/api/v1/kiosk/status", "/api/v1/kiosk/choice", "/api/v1/kiosk/answer"} <= set(
		paths
	)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_answers_are_as_described_whatever_is_sent(
	sight: Sight, scene: Scene, mode: GenerationMode, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(access.Access, "count_call", lambda _access, _caller: True)
	headers = key(sight, *Scope)
	verbs.come(scene.state, 1, place=0.3, scale=1.0)
	eventually(lambda: sight.held())
	schema = schemathesis.openapi.from_url(f"{address(sight)}/api/v1/openapi.json", headers=headers)
	schema.config.generation.update(with_security_parameters=False)
	operations = [result.ok() for result in schema.get_all_operations()]
	lasting = [each for each in operations if "text/event-stream" in str(each.definition.raw["responses"])]
	assert {each.path for each in lasting} == {
		"/api/v1/kiosk/events",
		"/api/v1/enrollments/{id}/events",
	}
	quick = [each for each in operations if each not in lasting]
	assert len(quick) >= 18
	for operation in quick:
		answers_as_described(operation, mode, headers)


# pages


@pytest.fixture
def boss(sight: Sight, open_page: Open) -> Callable[..., Any]:
	"""A function that gives a page of somebody who may do everything."""

	def log_in(*size: int, **given: Any) -> Any:
		page = open_page(*size, **given)
		page.goto(f"{address(sight)}/login")
		page.fill("[name=name]", "boss")
		page.fill("[name=password]", PASSWORD)
		page.click("button.main")
		page.locator("nav form").wait_for()
		return page

	return log_in


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_is_there_and_none_is_too_wide(
	sight: Sight, scene: Scene, boss: Open, size: str, scheme: str
) -> None:
	verbs.come(scene.state, 1, place=0.3, scale=1.0)
	eventually(lambda: sight.held())
	page = boss(*SIZES[size], color_scheme=scheme)
	for path in [*PAGES, f"/punches/{sight.held()[0].punch.punch_id}"]:
		answer = page.goto(address(sight) + path)
		assert answer.status == 200, path
		page.wait_for_timeout(300)
		keep_picture(page, f"page{path.replace('/', '-')[:12]}-{size}-{scheme}")
		assert not page.evaluate(IS_WIDER), path


def test_people_by_what_can_be_done_about_them(sight: Sight, boss: Open) -> None:
	page = boss()

	def listed(query: str = "") -> list[list[str]]:
		page.goto(f"{address(sight)}/people{query}")
		rows = page.locator("tbody tr").all()
		return [[row.locator("td").first.inner_text(), row.locator("td").last.inner_text()] for row in rows]

	assert listed() == [
		["First Person", "enrolled · anew"],
		["Fourth Person", "not enrolled · enrol"],
		["Second Person", "enrolled · anew"],
		["Third Person", "must be enrolled again · enrol"],
	]
	keep_picture(page, "people")
	assert [name for name, _state in listed("?enrolled=yes")] == ["First Person", "Second Person"]
	assert [name for name, _state in listed("?enrolled=no")] == ["Fourth Person", "Third Person"]
	assert [name for name, _state in listed("?enrolled=again")] == ["Third Person"]
	states = {each["employee"]: each["enrollment"] for each in people(sight)}
	assert [states[employee] for employee in FIRST_FIVE] == ["enrolled", "enrolled", "again", "missing"]


def people(sight: Sight) -> list[dict[str, Any]]:
	found: list[dict[str, Any]] = ask(sight, "/api/v1/people", key(sight, Scope.VIEW))["people"]
	return found


def test_from_the_list_of_people_to_the_enrollment_of_one(sight: Sight, boss: Open) -> None:
	page = boss()
	page.goto(f"{address(sight)}/people?q=third")
	page.get_by_role("link", name="enrol", exact=True).click()
	page.locator("#agree:not([hidden])").wait_for()
	assert page.inner_text("#agree-title") == "Third Person"
	page.goto(f"{address(sight)}/enroll?employee=HR-EMP-404")
	page.locator("#choose:not([hidden]) #people button").first.wait_for()


def test_who_must_be_enrolled_again_is_told_where_people_are_enrolled(sight: Sight, boss: Open) -> None:
	page = boss()
	page.goto(f"{address(sight)}/enroll")
	page.locator("#people .badge").nth(2).wait_for()
	badges = page.locator("#people .badge").all_inner_texts()
	assert badges == ["enrolled", "enrolled", "must be enrolled again"]


def test_the_status_of_camera_and_recognition(sight: Sight, scene: Scene, boss: Open) -> None:
	page = boss(1280, 800)
	eventually(lambda: sight.vision.live.state.camera_state == "open")
	page.goto(f"{address(sight)}/status")
	card = page.locator("section", has=page.get_by_role("heading", name="Camera and recognition"))
	said = card.inner_text()
	assert "Front door: open" in said
	assert "640 × 480" in said
	assert sight.vision.engine.model in said
	assert "generated, knows nothing of real faces" in said
	assert "2 templates of 2 people; 1 person must be enrolled again" in said
	keep_picture(page, "status")
	card.get_by_role("link", name="1 person").click()
	assert page.locator("tbody tr").count() == 1
	verbs.trouble(scene.state, verbs.Trouble.UNPLUGGED)
	eventually(lambda: sight.vision.live.state.camera_state == "lost")
	page.goto(f"{address(sight)}/status")
	assert "lost" in card.inner_text()
	assert "opened again by itself" in card.inner_text()
	keep_picture(page, "status-camera-lost")


def test_a_camera_is_no_terminal_to_be_tried(sight: Sight, boss: Open) -> None:
	page = boss()
	page.goto(f"{address(sight)}/status")
	assert page.locator("[data-test]").count() == 1
	page.locator("[data-test='']").click()
	said = page.locator("[data-test=''] + [role=status]")
	eventually(lambda: said.inner_text() == "Local ledger", lambda: "what came of the test is shown")


# PINs and badges


def test_somebody_is_given_a_pin_that_opens_and_is_never_shown(
	scene: Scene, tmp_path: Path, open_page: Open
) -> None:
	mapping = configuration(
		tmp_path, web={"enabled": True, "port": 0}, kiosk={"second_factor": "pin", "pause_seconds": 60}
	)
	people_file(tmp_path, PEOPLE)
	with seeing(mapping) as sight:
		accounts, now = Accounts(sight.agent.database), datetime.now(timezone.utc)
		for name, role in (("hr", "enroller"), ("guard", "viewer")):
			accounts.add(name, role, hash_password(PASSWORD), by="test", at=now)
		eventually(lambda: sight.agent.roster.people())
		page = open_page(800, 480)
		page.goto(f"{address(sight)}/people")
		page.fill("[name=name]", "hr")
		page.fill("[name=password]", PASSWORD)
		page.click("button.main")
		page.goto(f"{address(sight)}/people?q=first")
		assert page.locator("tbody td").last.inner_text() == "none · give"
		page.get_by_role("link", name="give").click()
		for typed, said in (("12", "A PIN has 4 to 12 digits."), ("4711", "nobody can look it up")):
			page.fill("[name=secret]", typed)
			page.get_by_role("button", name="Keep it").click()
			page.get_by_text(said).wait_for()
			keep_picture(page, f"factor-{typed}")
			assert "4711" not in page.content()
		verbs.come(scene.state, 1)
		ticket = sight.wait_for(EventType.SECOND_FACTOR).facts["ticket"]
		assert sight.vision.kiosk.answer(ticket, "4711").value == "passed"
		page.goto(f"{address(sight)}/people?q=first")
		assert page.locator("tbody td").last.inner_text() == "set · change"
		page.get_by_role("link", name="change").click()
		page.get_by_role("button", name="Take it away").click()
		page.get_by_text("It is taken away.").wait_for()
		assert sight.vision.second_factors.kinds() == {}
		noted = [act.act for act in AuditLog(sight.agent.database).latest(10)]
		assert noted.count("second_factor_set") == noted.count("second_factor_removed") == 1


def test_a_program_gives_a_badge(sight: Sight) -> None:
	headers = key(sight, Scope.ENROLL)
	path = f"{address(sight)}/api/v1/second-factors"

	def post(more: str, **body: str) -> tuple[int, Any]:
		answer = requests.post(path + more, json=body, headers=headers, timeout=30)
		return answer.status_code, answer.json()

	badge = {"employee": "HR-EMP-1", "kind": "badge", "secret": "AB-0042;7"}
	assert post("", **badge) == (200, {"employee": "HR-EMP-1", "kinds": ["badge"]})
	assert sight.vision.second_factors.matches("HR-EMP-1", "badge", "AB-0042;7")
	assert ask(sight, "/api/v1/second-factors", headers) == {
		"people": [{"employee": "HR-EMP-1", "kinds": ["badge"]}]
	}
	assert post("", **{**badge, "employee": "HR-EMP-404"})[0] == 404
	assert post("", **{**badge, "secret": "x"})[0] == 422
	assert post("/removals", employee="HR-EMP-1") == (200, {"employee": "HR-EMP-1", "kinds": []})


def test_who_may_only_look_gives_nobody_a_pin(sight: Sight) -> None:
	headers = key(sight, Scope.VIEW, Scope.CORRECT)
	for method, path in (
		("GET", "/people/factor?employee=HR-EMP-1"),
		("POST", "/people/factor"),
		("GET", "/api/v1/second-factors"),
		("POST", "/api/v1/second-factors"),
		("POST", "/api/v1/second-factors/removals"),
	):
		assert requests.request(method, address(sight) + path, headers=headers, timeout=30).status_code == 403
