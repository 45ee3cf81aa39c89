"""The live board in a real browser: punches as they come, with realtime and without, large and small."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.conftest import DESK, PHONE
from tests.browser.premises import HOSTILE, Premises

pytestmark = pytest.mark.timeout(300)


def opened(page: Any) -> Any:
	page.goto("/app/live-board")
	page.locator(".board-heading").first.wait_for()
	return page


def read_at_once(premises: Premises) -> None:
	"""As if the terminal's turn had come."""
	premises.site.ask("devices.fetch_checkins", device=premises.device)


def is_wider_than_its_window(page: Any) -> bool:
	return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def test_a_punch_appears_while_somebody_watches(
	premises: Premises, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	page = opened(signed_in("manager"))
	page.locator(".page-head .indicator-pill", has_text="Live").wait_for()
	worker = premises.workforce.workers[0]
	premises.punch(worker.device_user_id)
	read_at_once(premises)
	page.locator(".board-list li", has_text=worker.full_name).first.wait_for()
	page.locator(".live-people li", has_text=worker.full_name).wait_for()
	page.locator(".board-list li", has_text=premises.device).filter(has_text="Online").first.wait_for()
	picture(page, "live-board")


def test_without_realtime_it_asks_again(premises: Premises, signed_in: Callable[..., Any]) -> None:
	page = signed_in("user")
	page.route("**/socket.io/**", lambda route: route.abort())
	opened(page)
	page.locator(".page-head .indicator-pill", has_text=re.compile(r"Every \d+ Seconds")).wait_for()
	worker = premises.workforce.workers[1]
	premises.punch(worker.device_user_id)
	read_at_once(premises)
	page.locator(".board-list li", has_text=worker.full_name).first.wait_for()


def test_a_name_on_a_terminal_never_becomes_markup(premises: Premises, signed_in: Callable[..., Any]) -> None:
	page = opened(signed_in("manager"))
	premises.punch("<b>8</b>", HOSTILE)
	read_at_once(premises)
	page.locator(".board-list li", has_text="<b>8</b>").first.wait_for()
	assert page.evaluate("window.injected") is None
	assert page.locator(".live-board img").count() == 0


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_fits(
	signed_in: Callable[..., Any],
	picture: Callable[[Any, str], None],
	viewport: dict[str, int],
	theme: str,
) -> None:
	page = opened(signed_in("manager", viewport))
	page.evaluate(f"document.documentElement.setAttribute('data-theme', '{theme}')")
	assert not is_wider_than_its_window(page)
	picture(page, f"live-board-{viewport['width']}-{theme}")


def test_others_are_not_let_in(signed_in: Callable[..., Any]) -> None:
	page = signed_in("nobody")
	page.goto("/app/live-board")
	page.get_by_text("Not permitted").first.wait_for()
	assert page.locator(".live-board").count() == 0


def test_how_a_terminal_is(
	premises: Premises, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	page = signed_in("user")
	page.goto(f"/app/device-configuration/{premises.device}")
	page.get_by_role("tab", name="State").click()
	page.locator("[data-fieldname=health] .indicator-pill", has_text="Online").wait_for()
	words = page.locator("[data-fieldname=health]").inner_text()
	assert "right, within" in words
	assert "closed: it is read as usual" in words
	picture(page, "health")
