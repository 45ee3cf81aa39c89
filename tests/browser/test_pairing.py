"""A terminal that pushes by itself is let in, in a real browser on a real site."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
import requests

from tests.browser.conftest import PASSWORD, URL
from tests.browser.premises import ZONE
from tests.browser.site import Site

pytestmark = pytest.mark.timeout(300)

SETTINGS = "Attendance Bridge Settings"


@pytest.fixture
def site() -> Iterator[Site]:
	site = Site(URL, "Administrator", PASSWORD)
	site.update(SETTINGS, SETTINGS, push_enabled=1)
	yield site
	site.close()


def push(serial: str, user_id: str) -> requests.Response:
	"""A punch of this moment, as a terminal of the 2.x dialect sends it."""
	wall = datetime.now(ZONE).strftime("%Y-%m-%d %H:%M:%S")
	return requests.post(
		f"{URL}/iclock/cdata",
		params={"SN": serial, "table": "ATTLOG", "Stamp": "9999"},
		data=f"{user_id}\t{wall}\t0\t15\t0\t0\t0\n".encode(),
		timeout=60,
	)


@pytest.fixture
def administrator(chromium: Any) -> Iterator[Any]:
	context = chromium.new_context(viewport={"width": 1280, "height": 800}, base_url=URL)
	context.set_default_timeout(45_000)
	answer = context.request.post("/api/method/login", form={"usr": "Administrator", "pwd": PASSWORD})
	assert answer.ok, answer.text()
	yield context.new_page()
	context.close()


def test_a_terminal_is_let_in(site: Site, administrator: Any, picture: Callable[[Any, str], None]) -> None:
	serial = f"SIM{uuid.uuid4().hex[:10].upper()}"
	page = administrator
	page.goto("/app/attendance-bridge-settings")
	page.get_by_role("button", name="Push").click()
	page.locator(".dropdown-menu:visible").get_by_text("Open Pairing for 15 Minutes").click()
	page.locator("[data-fieldname=pairing_open_until] .control-value:visible").wait_for()
	assert push(serial, "31").status_code == 503
	page.goto(f"/app/device-pairing/{serial}")
	page.get_by_text("Nothing of what it sends is kept here").wait_for()
	page.get_by_role("button", name="Approve").click()
	dialog = page.locator(".modal.show")
	dialog.locator("[data-fieldname=device_name] input").fill(f"Gate {serial}")
	picture(page, "pairing")
	dialog.get_by_role("button", name="Approve").click()
	page.get_by_text("It may push: what it sends is taken.").wait_for()
	answer = push(serial, "31")
	assert (answer.status_code, answer.text) == (200, "OK: 1")
	held = site.rows("Punch Log", {"device_serial": serial}, ["device", "road"])
	assert held == [{"device": f"Gate {serial}", "road": "Push"}]
	page.goto(f"/app/device-configuration/Gate {serial}")
	page.get_by_role("button", name="Push").click()
	page.locator(".dropdown-menu:visible").get_by_text("Make Token").click()
	page.locator(".modal.show").get_by_role("button", name="Yes").click()
	page.get_by_text("The token is shown this one time only.").wait_for()
	assert push(serial, "32").status_code == 403
