"""The pages of working days as a browser shows and prints them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.edge.rig import Edge
from tests.edge.web.conftest import keep_picture
from tests.edge.workdays.rig import ANNA, DAY_SHIFT, MONDAY, Shop

PEOPLE = [
	replace(
		ANNA,
		employee=f"HR-{number}",
		attendance_device_id=str(number),
		full_name=f"Somebody with a Name {number}",
	)
	for number in range(20)
]
DAY, MONTH, PERSON = (
	"/days?date=2026-03-02",
	"/months?month=2026-03",
	"/people/days?employee=HR-3&month=2026-03",
)
FORGOTTEN = MONDAY + timedelta(days=7)
"""The day on which one of them has no OUT."""
SHORTER_SIDE, LONGER_SIDE = 595, 842
"""Of A4 in points."""


@pytest.fixture
def shop(edge: Edge) -> Shop:
	made = Shop(edge, PEOPLE, shifts=[DAY_SHIFT], working_days={"weekly_off": ["friday"]})
	for number in range(5):
		for person in PEOPLE:
			made.passes(person.attendance_device_id, "09:12", "20:30", day=MONDAY + timedelta(days=number))
	made.passes("3", "09:00", day=FORGOTTEN)
	made.settle()
	return made


def fits(page: Any, address: str, width: int, name: str) -> None:
	for place, path in (("day", DAY), ("month", MONTH), ("person", PERSON)):
		page.goto(address + path)
		assert page.evaluate("document.documentElement.scrollWidth") <= width, place
		assert page.locator("[data-print]").is_visible()
		keep_picture(page, f"workdays-{place}-{name}")


def test_the_pages_on_a_phone_and_the_reason_on_demand(logged_in: Callable[..., Any], address: str) -> None:
	page = logged_in(390, 844)
	fits(page, address, 390, "phone")
	page.goto(address + DAY)
	assert not page.get_by_text("Came after the grace period").first.is_visible()
	page.locator("summary").first.click()
	assert page.get_by_text("Came after the grace period").first.is_visible()


def test_a_missing_punch_is_entered_for_somebody_who_is_in_sight(
	logged_in: Callable[..., Any], address: str
) -> None:
	page = logged_in(390, 844)
	page.goto(f"{address}{PERSON}&date={FORGOTTEN}&log_type=OUT#enter")
	card = page.locator("#enter")
	assert card.get_by_text(PEOPLE[3].full_name).bounding_box()["y"] < 200
	assert "Mon 9 Mar: 09:00 IN" in card.inner_text()
	card.locator("[name=time]").fill("17:30")
	card.locator("[name=why]").fill("forgot")
	card.locator("button.main").click()
	page.wait_for_url("**#said")
	said = page.locator("#said")
	assert f"{PEOPLE[3].full_name}, Mon 9 Mar, 17:30: Kept." in said.inner_text()
	assert said.bounding_box()["y"] < 844 - said.bounding_box()["height"]
	page.goto(address + MONTH)
	heights = page.locator("tbody tr").evaluate_all("rows => rows.map((row) => row.clientHeight)")
	assert len(set(heights)) == 1, heights  # no mark of a cell wraps


def test_a_month_prints_on_one_page_in_landscape(logged_in: Callable[..., Any], address: str) -> None:
	page = logged_in(1280, 800)
	fits(page, address, 1280, "desk")
	page.goto(address + MONTH)
	paper = page.pdf(prefer_css_page_size=True)
	boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
	assert [(round(float(width)), round(float(height))) for width, height in boxes] == [
		(LONGER_SIDE, SHORTER_SIDE)
	]
	page.emulate_media(media="print")
	page.set_viewport_size({"width": 1047, "height": 718})  # A4 landscape without margins of 10 mm, at 96 dpi
	assert page.evaluate("document.documentElement.scrollWidth") <= 1047
	assert not page.locator("nav.pages").is_visible()
