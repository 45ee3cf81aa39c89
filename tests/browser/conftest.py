"""Browser tests need a bench with built assets whose workers and realtime run, and a Chromium. Told by:

ATTENDANCE_BRIDGE_BROWSER_URL        as a browser on this machine reaches it, http://site.local:8000
ATTENDANCE_BRIDGE_BROWSER_PASSWORD   of Administrator
ATTENDANCE_BRIDGE_BROWSER_CHROMIUM   path; by default what `chromium` is
ATTENDANCE_BRIDGE_BROWSER_PICTURES   a folder; screenshots are kept there

The site is left with the punches, people and users of the run: never point this at a site that somebody uses.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.premises import PASSWORD_OF_USERS, Premises
from tests.browser.site import Site

URL = os.environ.get("ATTENDANCE_BRIDGE_BROWSER_URL", "")
PASSWORD = os.environ.get("ATTENDANCE_BRIDGE_BROWSER_PASSWORD", "admin")
CHROMIUM = os.environ.get("ATTENDANCE_BRIDGE_BROWSER_CHROMIUM") or shutil.which("chromium")
PICTURES = os.environ.get("ATTENDANCE_BRIDGE_BROWSER_PICTURES")

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
LONGEST_WAIT_MS = 45_000


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
	missing = [
		what
		for what, there in (
			("ATTENDANCE_BRIDGE_BROWSER_URL is not set", URL),
			("there is no Chromium", CHROMIUM),
		)
		if not there
	]
	if not missing:
		return
	skip = pytest.mark.skip(reason=f"browser tests: {', '.join(missing)}")
	for item in items:
		if item.path.is_relative_to(Path(__file__).parent):
			item.add_marker(skip)


@pytest.fixture(scope="session")
def premises() -> Iterator[Premises]:
	made = Premises(Site(URL, "Administrator", PASSWORD))
	yield made
	made.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
	playwright = pytest.importorskip("playwright.sync_api")
	with playwright.sync_playwright() as player:
		browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
		yield browser
		browser.close()


@pytest.fixture
def signed_in(chromium: Any, premises: Premises) -> Iterator[Callable[..., Any]]:
	"""A function that gives a page of the Desk, signed in as one of `premises.ROLES` or as Administrator."""
	contexts = []

	def sign_in(who: str, viewport: dict[str, int] = DESK) -> Any:
		user, password = (
			("Administrator", PASSWORD) if who == "admin" else (premises.users[who], PASSWORD_OF_USERS)
		)
		context = chromium.new_context(viewport=viewport, base_url=URL)
		contexts.append(context)
		context.set_default_timeout(LONGEST_WAIT_MS)
		answer = context.request.post("/api/method/login", form={"usr": user, "pwd": password})
		assert answer.ok, answer.text()
		return context.new_page()

	yield sign_in
	for context in contexts:
		context.close()


@pytest.fixture
def picture() -> Callable[[Any, str], None]:
	"""Keeps a screenshot of a page, where somebody wants them."""

	def keep(page: Any, name: str) -> None:
		if PICTURES:
			page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))

	return keep
