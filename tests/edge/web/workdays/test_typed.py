"""What was typed into a form when the login ends meanwhile: back for the same account, for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from attendance_bridge.core.direction import LogType
from attendance_bridge.stores.agreements import Author
from tests.edge.rig import Edge
from tests.edge.web.conftest import keep_picture
from tests.edge.web.rig import Office
from tests.edge.web.workdays.conftest import log_in
from tests.edge.workdays.rig import ANNA, DAY_SHIFT, MONDAY, Shop

PERSON = "/people/days?employee=HR-1&month=2026-03"
TYPED = {"date": "2026-03-02", "time": "17:30", "log_type": "OUT", "why": '<i>forgot, was "there"'}
KEPT = "JSON.stringify(sessionStorage)"
NOTHING = "{}"
BACK = "What you had typed is back."


@pytest.fixture
def shop(edge: Edge) -> Shop:
	made = Shop(edge, [ANNA], shifts=[DAY_SHIFT])
	made.passes("1", "09:00")
	made.settle()
	return made


class Desk:
	"""A browser at which somebody enters a missing punch."""

	def __init__(self, page: Any, address: str, edge: Edge) -> None:
		self.page = page
		self.address = address
		self._edge = edge

	def goes(self, path: str = PERSON) -> None:
		self.page.goto(self.address + path)

	def types(self) -> None:
		for name, value in TYPED.items():
			if name == "log_type":
				self.page.select_option("#enter [name=log_type]", value)
			else:
				self.page.fill(f"#enter [name={name}]", value)

	def sends(self) -> None:
		self.page.click("#enter button.main")

	def sends_too_late(self) -> None:
		self._edge.clock.advance(hours=3)
		self.sends()
		self.comes_to("/login")

	def comes_to(self, path: str) -> None:
		self.page.wait_for_url(lambda url: url.removeprefix(self.address).startswith(path))

	@property
	def typed(self) -> dict[str, str]:
		return {name: self.page.input_value(f"#enter [name={name}]") for name in TYPED}

	@property
	def kept(self) -> str:
		return str(self.page.evaluate(KEPT))


@pytest.fixture
def desk(logged_in: Callable[..., Any], address: str, edge: Edge) -> Desk:
	return Desk(logged_in(1024, 800), address, edge)


def test_it_is_back_for_the_same_account_and_can_be_sent(desk: Desk, shop: Shop) -> None:
	desk.goes()
	desk.types()
	desk.sends_too_late()
	assert "forgot" in desk.kept
	assert "csrf" not in desk.kept
	keep_picture(desk.page, "typed-login-over")
	log_in(desk.page, "boss", "a wrong one")
	assert "wrong" in desk.page.get_by_role("alert").inner_text()
	log_in(desk.page, "boss")
	desk.comes_to(PERSON)
	assert (desk.typed, desk.kept) == (TYPED, NOTHING)
	assert BACK in desk.page.locator("#enter").inner_text()
	keep_picture(desk.page, "typed-back")
	desk.sends()
	desk.page.wait_for_url("**#said")
	assert desk.kept == NOTHING
	(found,) = shop.workdays.entered_between("HR-1", MONDAY, MONDAY)
	assert found.entered.why == TYPED["why"]
	desk.goes()  # Taken once: it is not shown again.
	assert desk.typed["why"] == ""


def test_a_form_that_is_folded_away_is_back_in_sight(desk: Desk, shop: Shop, edge: Edge) -> None:
	for hour in (17, 18):
		shop.by_hand.enter(
			"HR-1", datetime(2026, 3, 2, hour), LogType.OUT, "forgot", Author(who="boss", at=edge.clock())
		)
	desk.page.set_viewport_size({"width": 390, "height": 844})
	desk.goes()
	second = desk.page.locator("details:has(form)").nth(1)
	second.locator("summary").click()
	second.locator("[name=why]").fill("a mistake")
	edge.clock.advance(hours=3)
	second.locator("button").click()
	desk.comes_to("/login")
	log_in(desk.page, "boss")
	desk.comes_to(PERSON)
	assert second.locator("[name=why]").input_value() == "a mistake"
	assert 0 < second.get_by_text(BACK).bounding_box()["y"] < 800
	assert desk.page.locator("details[open]:has(form)").count() == 1
	assert desk.page.evaluate("document.documentElement.scrollWidth") == 390
	keep_picture(desk.page, "typed-folded")


def test_somebody_else_who_logs_in_sees_nothing_of_it(desk: Desk, office: Office) -> None:
	office.account("eve", "manager")
	desk.goes()
	desk.types()
	desk.sends_too_late()
	log_in(desk.page, "eve")
	desk.comes_to(PERSON)
	assert (desk.typed["why"], desk.kept) == ("", NOTHING)
	assert "forgot" not in desk.page.content()


def test_it_is_kept_neither_for_long_nor_for_another_page(desk: Desk) -> None:
	desk.page.clock.install()
	desk.goes()
	desk.types()
	desk.sends_too_late()
	desk.page.clock.fast_forward(14 * 60_000)
	assert "forgot" in desk.kept
	desk.page.clock.fast_forward(2 * 60_000)
	assert desk.kept == NOTHING
	log_in(desk.page, "boss")
	desk.comes_to(PERSON)
	assert desk.typed["why"] == ""
	desk.goes()
	desk.types()
	desk.sends_too_late()
	desk.goes("/login")  # by hand: without the page that they came from
	log_in(desk.page, "boss")
	desk.page.wait_for_url(f"{desk.address}/")
	assert desk.kept == NOTHING


def test_no_secret_is_ever_kept(desk: Desk) -> None:
	desk.goes()
	desk.page.evaluate(
		"""document.querySelector("#enter form").insertAdjacentHTML("beforeend",
			'<input type="password" name="pin" value="4711-secret"><input type="file" name="face">')"""
	)
	desk.types()
	desk.sends_too_late()
	assert "forgot" in desk.kept
	assert [word in desk.kept for word in ("4711", "pin", "face", "csrf", "HR-1")] == [False] * 4 + [True]


def test_a_login_that_began_anew_in_another_tab_leads_back_to_the_form(desk: Desk) -> None:
	desk.goes()
	desk.types()
	other = desk.page.context.new_page()
	other.goto(f"{desk.address}/login")
	log_in(other, "boss")
	other.wait_for_url(f"{desk.address}/")
	desk.sends()
	assert "open for too long" in desk.page.get_by_role("alert").inner_text()
	keep_picture(desk.page, "typed-too-long")
	desk.page.click("text=Back to the form")
	desk.comes_to(PERSON)
	assert (desk.typed, desk.kept) == (TYPED, NOTHING)
