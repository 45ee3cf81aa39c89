"""Faces on the Desk: found from the workspace, withdrawn and erased by their buttons; an agent's camera."""

from __future__ import annotations

import base64
import random
import re
import struct
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.browser.conftest import DESK, LONGEST_WAIT_MS, PASSWORD, URL
from tests.browser.site import TIMEOUT_SECONDS, Site

pytestmark = pytest.mark.timeout(300)

PASSWORD_OF_USER = "Br0wser-Test-Passw0rd"
ENROLLED_AT, GIVEN_AT = "2026-11-02T04:00:00Z", "2026-11-02T03:58:00Z"


def vector() -> str:
	"""Of length 1, and nobody's."""
	chance = random.Random()
	numbers = [chance.gauss(0, 1) for _ in range(64)]
	length = sum(number * number for number in numbers) ** 0.5
	return base64.b64encode(struct.pack("<64f", *(number / length for number in numbers))).decode()


@dataclass
class Office:
	"""An agent, somebody of HR, and people whose faces the agent brings."""

	site: Site
	mark: str = field(default_factory=lambda: uuid.uuid4().hex[:6])

	def __post_init__(self) -> None:
		self.agent = self.site.insert("Edge Agent", agent_name=f"Door {self.mark}")
		self.key = self._call("attendance_bridge.api.agents.make_api_key", agent=self.agent)
		self.hr = self.site.insert(
			"User",
			email=f"faces-{self.mark}@example.com",
			first_name=f"Faces {self.mark}",
			send_welcome_email=0,
			new_password=PASSWORD_OF_USER,
			roles=[{"role": "HR Manager"}, {"role": "HR User"}],
		)

	def _call(self, method: str, **values: Any) -> Any:
		return self.site._call("POST", f"/api/method/{method}", values)["message"]

	def enrolled(self, number: int) -> str:
		"""A new employee with one template; returns their name."""
		employee = self.site.insert(
			"Employee",
			first_name=f"Face {self.mark} {number}",
			company=self.site.first("Company"),
			gender="Other",
			date_of_birth="1990-01-01",
			date_of_joining="2020-01-01",
			status="Active",
		)
		consent = {
			"employee": employee,
			"given_at": GIVEN_AT,
			"text_version": "2026-01",
			"text_sha256": "ab" * 32,
			"text_language": "en",
			"given_to": "Door: hr@example.com",
			"withdrawn_at": None,
		}
		template = {
			"template_id": str(uuid.uuid4()),
			"employee": employee,
			"model": "pack-0123abcd",
			"pose": "front",
			"quality": 0.8,
			"captured_at": ENROLLED_AT,
			"captured_by": "Door: hr@example.com",
			"vector": vector(),
		}
		answer = requests.post(
			f"{self.site.url}/api/method/attendance_bridge.api.edge.templates",
			json={"consents": [consent], "templates": [template], "replaced": []},
			headers={"Authorization": f"token {self.key['api_key']}:{self.key['api_secret']}"},
			timeout=TIMEOUT_SECONDS,
		)
		assert answer.ok, answer.text[:800]
		assert answer.json()["message"]["receipts"][0]["outcome"] == "accepted"
		return employee

	def templates_of(self, employee: str) -> list[dict[str, Any]]:
		return self.site.rows("Face Template", {"employee": employee}, ["name"])

	def erasures_of(self, employee: str) -> list[dict[str, Any]]:
		return self.site.rows("Biometric Erasure", {"employee": employee}, ["name", "reason", "templates"])


@pytest.fixture(scope="module")
def office() -> Iterator[Office]:
	site = Site(URL, "Administrator", PASSWORD)
	yield Office(site)
	site.close()


@pytest.fixture
def desk(chromium: Any, office: Office) -> Iterator[Callable[[str], Any]]:
	"""A function that gives a page, signed in as somebody of HR or as Administrator."""
	contexts = []

	def sign_in(who: str) -> Any:
		user, password = ("Administrator", PASSWORD) if who == "admin" else (office.hr, PASSWORD_OF_USER)
		context = chromium.new_context(viewport=DESK, base_url=URL)
		contexts.append(context)
		context.set_default_timeout(LONGEST_WAIT_MS)
		answer = context.request.post("/api/method/login", form={"usr": user, "pwd": password})
		assert answer.ok, answer.text()
		page = context.new_page()
		page.mistakes = []
		page.on("pageerror", lambda error: page.mistakes.append(str(error)))
		return page

	yield sign_in
	for context in contexts:
		context.close()


def test_the_workspace_leads_to_faces(office: Office, desk: Callable[[str], Any], picture: Any) -> None:
	employee = office.enrolled(1)
	page = desk("hr")
	page.goto("/app/attendance-bridge")
	card = page.locator(".links-widget-box", has_text="Faces")
	for doctype in ("Face Template", "Face Consent", "Biometric Erasure"):
		card.get_by_text(doctype, exact=True).wait_for()
	card.scroll_into_view_if_needed()
	picture(page, "workspace-faces")
	card.get_by_text("Face Template", exact=True).click()
	page.wait_for_url(re.compile("/(app|desk)/face-template"))
	page.goto(f"/app/face-template/{office.templates_of(employee)[0]['name']}")
	page.get_by_text("pack-0123abcd").first.wait_for()
	picture(page, "face-template")
	assert page.mistakes == []


def test_withdraw_on_the_consent(office: Office, desk: Callable[[str], Any], picture: Any) -> None:
	employee = office.enrolled(2)
	(consent,) = office.site.rows("Face Consent", {"employee": employee}, ["name"])
	page = desk("hr")
	page.goto(f"/app/face-consent/{consent['name']}")
	page.get_by_role("button", name="Withdraw", exact=True).click()
	picture(page, "consent-withdraw")
	page.locator(".modal.show").get_by_role("button", name="Yes").click()
	page.get_by_text("Withdrawn, and erased on this site").wait_for()
	page.get_by_role("button", name="Withdraw", exact=True).wait_for(state="detached")
	assert office.templates_of(employee) == []
	(record,) = office.erasures_of(employee)
	assert (record["reason"], record["templates"]) == ("Withdrawn", 1)
	page.goto(f"/app/biometric-erasure/{record['name']}")
	page.locator(".grid-row", has_text=office.agent).wait_for()
	picture(page, "biometric-erasure")
	assert page.mistakes == []


def test_erase_and_withdraw_on_the_employee(office: Office, desk: Callable[[str], Any], picture: Any) -> None:
	employee = office.enrolled(3)
	page = desk("hr")
	page.goto(f"/app/employee/{employee}")
	for button, done, reason in (
		("Erase Face Templates", "Erased on this site", "Requested"),
		("Withdraw Consent", "Withdrawn, and erased on this site", "Withdrawn"),
	):
		page.get_by_role("button", name="Face", exact=True).click()
		page.locator(".dropdown-menu:visible").get_by_text(button, exact=True).click()
		page.locator(".modal.show").get_by_role("button", name="Yes").click()
		page.get_by_text(done, exact=True).wait_for()
		assert office.templates_of(employee) == []
		assert reason in {row["reason"] for row in office.erasures_of(employee)}
		page.locator(".modal.show").wait_for(state="detached")
	page.get_by_role("button", name="Face", exact=True).wait_for(state="detached")
	assert page.mistakes == []


def test_the_camera_of_an_agent_on_its_form(office: Office, desk: Callable[[str], Any], picture: Any) -> None:
	page = desk("admin")
	page.goto("/app/device-configuration/new")
	page.locator("[data-fieldname='device_name'] input").fill(f"Camera {office.mark}")
	driver = page.locator("[data-fieldname='driver'] input")
	driver.fill("Camera of an edge")
	page.locator(".awesomplete li:visible", has_text="Camera of an edge agent").first.click()
	for asked in ("device_ip", "port", "device_user", "device_user_password"):
		page.locator(f".frappe-control[data-fieldname='{asked}']").wait_for(state="hidden")
	label = page.locator(".frappe-control[data-fieldname='edge_agent'] label.reqd")
	label.wait_for()
	agent = page.locator(".frappe-control[data-fieldname='edge_agent'] input")
	agent.click()
	agent.press_sequentially(office.agent, delay=30)
	page.get_by_role("option").filter(has_text=office.agent).first.click()
	picture(page, "edge-camera-new")
	page.get_by_role("button", name="Save", exact=True).click()
	page.wait_for_url(re.compile(f"/(app|desk)/device-configuration/Camera(%20| ){office.mark}"))
	page.get_by_role("button", name="Terminal", exact=True).click()
	entries = page.locator(".dropdown-menu:visible")
	assert entries.get_by_text("Download Diagnostics").count() == 0
	entries.get_by_text("Test Connection", exact=True).click()
	page.locator(".modal.show").get_by_text(f"is the camera of the Edge Agent {office.agent}").wait_for()
	picture(page, "edge-camera-test")
	page.locator(".modal.show .btn-modal-close:visible").first.click()
	page.locator(".modal.show").wait_for(state="detached")
	assert page.mistakes == []
	page.get_by_role("button", name="Fetch Check-in").click()
	page.locator(".modal.show").get_by_role("button", name="Fetch", exact=True).click()
	page.get_by_text("nobody calls it from here").first.wait_for()
