"""The pages of working days over a shop, which each module says for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from attendance_bridge.edge.web.server import WebServer
from tests.edge.rig import Clock, Edge, running
from tests.edge.web.rig import PASSWORD, Browser, Office
from tests.edge.workdays.rig import NEXT_MONTH, Shop


@pytest.fixture
def clock() -> Clock:
	return Clock(NEXT_MONTH)


@pytest.fixture
def office(edge: Edge, shop: Shop) -> Office:
	return Office(edge, workdays=shop.workdays, by_hand=shop.by_hand, settings=shop.settings)


@pytest.fixture
def browser(office: Office) -> Browser:
	"""Of somebody who may correct."""
	office.account("boss", "manager")
	found = office.browser()
	found.log_in("boss")
	return found


@pytest.fixture
def address(office: Office) -> Iterator[str]:
	"""Where the pages are for a real browser."""
	office.account("boss", "manager")
	server = WebServer(office.app, host="127.0.0.1", port=0, pulse=office.services.pulse)
	with running(server):
		yield f"http://127.0.0.1:{server.port}"
	server.close()


def log_in(page: Any, name: str, password: str = PASSWORD) -> None:
	"""By the form of the login, which the page shows."""
	page.fill("[name=name]", name)
	page.fill("[name=password]", password)
	page.click("button.main")


@pytest.fixture
def logged_in(open_page: Callable[..., Any], address: str) -> Callable[..., Any]:
	def open_one(width: int, height: int) -> Any:
		page = open_page(width, height)
		page.goto(f"{address}/login?next=/people")
		log_in(page, "boss")
		page.wait_for_url("**/people")
		return page

	return open_one
