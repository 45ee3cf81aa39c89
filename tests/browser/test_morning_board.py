"""The morning board in a real browser: a check-in changes it while somebody watches, mouse or keyboard."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.browser.conftest import DESK, PHONE
from tests.browser.premises import ZONE, Premises

pytestmark = pytest.mark.timeout(300)

NAME = 'Ann "&amp;" Bo'
"""What must be shown as it is written, and become no markup."""
WALL = {"width": 1920, "height": 1080}


class Office:
	"""A department of this run with some people of no shift."""

	def __init__(self, premises: Premises) -> None:
		self.site = premises.site
		self.name = f"Board {premises.mark}"
		company = self.site.first("Company")
		department = self.site.insert("Department", department_name=self.name, company=company)
		self.people = [
			premises.employee(
				f"{NAME} {number}", department=department, employee_number=f"{self.name}-{number}"
			)
			for number in (1, 2, 3)
		]

	def check_in(self, place: int) -> None:
		at = datetime.now(ZONE) - timedelta(minutes=1)
		self.site.insert(
			"Employee Checkin",
			employee=self.people[place],
			time=at.strftime("%Y-%m-%d %H:%M:%S"),
			log_type="IN",
		)


@pytest.fixture(scope="module")
def office(premises: Premises) -> Office:
	return Office(premises)


def opened(page: Any) -> Any:
	page.goto("/app/morning-board")
	page.locator(".morning-tile").first.wait_for()
	return page


def asked(page: Any) -> list[str]:
	"""What the page asks of the board from now on, with what it sends."""
	questions: list[str] = []

	def note(request: Any) -> None:
		if "api.morning.board" in request.url:
			questions.append(f"{request.url} {request.post_data or ''}")

	page.on("request", note)
	return questions


def test_a_check_in_changes_the_board(
	office: Office, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	page = opened(signed_in("manager"))
	page.locator(".page-head .indicator-pill", has_text="Live").wait_for()
	row = page.locator(".morning-departments tr", has_text=office.name)
	row.get_by_role("button", name="No Shift: 3").wait_for()
	questions = asked(page)
	office.check_in(0)
	row.get_by_role("button", name="In: 1").wait_for()
	row.get_by_role("button", name="No Shift: 2").wait_for()
	assert questions
	assert all("since=" in question for question in questions)
	row.get_by_role("button", name="In: 1").click()
	line = page.locator(".morning-people .board-row")
	line.get_by_text(f"{NAME} 1", exact=True).wait_for()
	assert "since" in line.inner_text()
	picture(page, "morning-board")
	line.get_by_role("link", name="Punch Trail").click()
	page.wait_for_url("**/query-report/Punch**")
	page.wait_for_function(
		"name => frappe.query_report?.get_filter_value('employee') === name", arg=office.people[0]
	)


def test_the_keyboard_is_enough(office: Office, signed_in: Callable[..., Any]) -> None:
	page = opened(signed_in("user"))
	page.locator('.morning-tile[data-state="late"]').focus()
	page.keyboard.press("Tab")
	page.keyboard.press("Enter")
	page.locator('.morning-tile[data-state="missing"][aria-pressed="true"]').wait_for()
	row = page.locator(".morning-departments tr", has_text=office.name)
	button = row.get_by_role("button", name="No Shift:")
	button.focus()
	page.keyboard.press("Enter")
	page.locator(".morning-people h5", has_text=office.name).wait_for()
	office.check_in(1)
	row.get_by_role("button", name="In: 2").wait_for()
	# Drawn anew, and whoever works by keyboard is where they were.
	assert page.evaluate("document.activeElement.dataset.state") == "no_shift"


def test_one_that_is_left_asks_no_more(office: Office, signed_in: Callable[..., Any]) -> None:
	page = opened(signed_in("manager"))
	# On v16 both stand in the sidebar too.
	page.locator("#page-morning-board").get_by_role("link", name="Live Board").click()
	page.locator("#page-live-board .board-heading").first.wait_for()
	questions = asked(page)
	office.check_in(2)
	page.wait_for_timeout(4000)
	assert questions == []
	page.locator("#page-live-board").get_by_role("link", name="Morning Board").click()
	row = page.locator(".morning-departments tr", has_text=office.name)
	row.get_by_role("button", name="In: 3").wait_for()


@pytest.mark.parametrize("viewport", [DESK, WALL, PHONE], ids=["desk", "wall", "phone"])
def test_it_fits(
	signed_in: Callable[..., Any], picture: Callable[[Any, str], None], viewport: dict[str, int]
) -> None:
	page = opened(signed_in("manager", viewport))
	assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
	picture(page, f"morning-board-{viewport['width']}")


def test_others_are_not_let_in(signed_in: Callable[..., Any]) -> None:
	page = signed_in("nobody")
	page.goto("/app/morning-board")
	page.get_by_text("Not permitted").first.wait_for()
	assert page.locator(".morning-board").count() == 0
