"""A browser for the tests that drive a page. They are skipped where there is none.

ATTENDANCE_BRIDGE_BROWSER_CHROMIUM   path; by default what `chromium` is
ATTENDANCE_BRIDGE_BROWSER_PICTURES   a folder; screenshots are kept there
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge.rig import Edge
from tests.edge.web.rig import Office

CHROMIUM = os.environ.get("ATTENDANCE_BRIDGE_BROWSER_CHROMIUM") or shutil.which("chromium")
PICTURES = os.environ.get("ATTENDANCE_BRIDGE_BROWSER_PICTURES")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LONGEST_WAIT_MS = 15_000


_opened: dict[str, Any] = {}


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> Any:
	"""One for the whole process: other folders have this fixture too, and Playwright is begun only once."""
	playwright = pytest.importorskip("playwright.sync_api", reason="the extra `browser` is not installed")
	if CHROMIUM is None:
		pytest.skip("there is no Chromium")
	if not _opened:
		player = playwright.sync_playwright().start()
		browser = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
		_opened["browser"] = browser
		request.config.add_cleanup(player.stop)
		request.config.add_cleanup(browser.close)
	return _opened["browser"]


@pytest.fixture
def open_page(chromium: Any) -> Iterator[Callable[..., Any]]:
	"""A function that gives a page of a size; whatever goes wrong in one fails the test."""
	contexts: list[Any] = []
	wrong: list[str] = []

	def open_one(width: int = 1024, height: int = 600, **given: Any) -> Any:
		context = chromium.new_context(viewport={"width": width, "height": height}, **given)
		contexts.append(context)
		context.set_default_timeout(LONGEST_WAIT_MS)
		page = context.new_page()
		page.on("pageerror", lambda error: wrong.append(str(error)))
		page.on("console", lambda said: wrong.append(said.text) if _is_policy(said) else None)
		return page

	yield open_one
	for context in contexts:
		context.close()
	assert wrong == []


def _is_policy(said: Any) -> bool:
	return said.type == "error" and "Content Security Policy" in said.text


def keep_picture(page: Any, name: str) -> None:
	"""A screenshot for people to look at, if there is a folder for them."""
	if PICTURES:
		page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))


@pytest.fixture
def office(edge: Edge) -> Office:
	return Office(edge)
