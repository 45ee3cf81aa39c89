"""What people of HR and a System Manager see and press, in a real browser on a real site."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.browser.conftest import PHONE
from tests.browser.premises import HOSTILE, ZONE, Premises

pytestmark = pytest.mark.timeout(300)

HELD = "<b>7</b>"
"""An id on the terminal that looks like markup."""
SETTLED_WITHIN_SECONDS = 60


@pytest.fixture(scope="module")
def fetched(premises: Premises) -> Premises:
	"""The premises with some punches that will need a hand; `test_fetch_check_in` reads them."""
	midnight = datetime.now(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
	for worker in premises.workforce.workers:
		premises.punch(worker.device_user_id, at=midnight + timedelta(seconds=1))
	premises.punch(HELD, HOSTILE)
	return premises


def eventually(look: Callable[[], Any]) -> Any:
	"""What `look` finds, once it finds something: jobs run in the background."""
	deadline = time.monotonic() + SETTLED_WITHIN_SECONDS
	while not (found := look()):
		assert time.monotonic() < deadline, "it did not happen in time"
		time.sleep(0.5)
	return found


def test_fetch_check_in(
	fetched: Premises, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	page = signed_in("system")
	page.goto(f"/app/device-configuration/{fetched.device}")
	page.get_by_role("button", name="Fetch Check-in").click()
	picture(page, "fetch-dialog")
	page.locator(".modal.show").get_by_role("button", name="Fetch", exact=True).click()
	watch = page.locator(".fetch-watch:visible")
	watch.get_by_text(re.compile(r"records read|punches settled")).wait_for()
	watch.get_by_text("Complete").wait_for()
	picture(page, "fetch-result")
	words = watch.inner_text()
	read = int(re.search(r"(\d+) punches read", words)[1])
	assert read == len(fetched.state.expected())
	assert re.search(rf"\b{read} new", words)
	assert int(re.search(r"(\d+) unmapped", words)[1]) > 0
	watch.get_by_role("button", name="What Needs a Hand").click()
	page.wait_for_url(re.compile("/(app|desk)/punch-log"))
	page.locator(".list-row-container").first.wait_for()
	# What was shown before the filters took effect may still stand there.
	eventually(lambda: statuses_in(page) <= {"Unmapped", "Quarantined", "Rejected"})
	picture(page, "punch-log")


def test_hr_cannot_fetch(fetched: Premises, signed_in: Callable[..., Any]) -> None:
	page = signed_in("manager")
	page.goto(f"/app/device-configuration/{fetched.device}")
	page.get_by_role("button", name="View").wait_for()
	assert page.get_by_role("button", name="Fetch Check-in").count() == 0


@pytest.mark.parametrize("who", ["system", "manager", "user"])
def test_workspace(
	who: str, fetched: Premises, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	page = signed_in(who)
	page.goto("/app/attendance-bridge")
	cards = page.locator(".number-widget-box .number")
	eventually(lambda: cards.count() == 4)
	titles = page.locator(".number-widget-box .widget-title").all_inner_texts()
	assert [title.strip().upper() for title in titles] == [
		"DEVICES ONLINE",
		"PUNCHES TODAY",
		"UNMAPPED IDS",
		"HELD SHIFTS",
	]
	online, today, unmapped, _held = (int(number) for number in cards.all_inner_texts())
	assert online >= 1
	assert today >= len(fetched.workforce.workers)
	assert unmapped >= 1
	page.locator(".dashboard-widget-box .frappe-chart").nth(1).wait_for()
	page.locator(".shortcut-widget-box", has_text="Unmapped People").wait_for()
	page.wait_for_timeout(1500)  # the bars grow
	picture(page, f"workspace-{who}")
	cards.nth(2).click()
	page.wait_for_url(re.compile("/(app|desk)/unmapped-people"))


def test_workspace_is_hidden_from_others(fetched: Premises, signed_in: Callable[..., Any]) -> None:
	page = signed_in("nobody")
	page.goto("/app")
	page.locator(".desk-sidebar, .desk-page, .desktop-icon").first.wait_for()
	ways = (
		".sidebar-item-container[item-name='Attendance Bridge'], .desktop-icon[data-id='Attendance Bridge']"
	)
	assert page.locator(ways).count() == 0
	page.goto("/app/unmapped-people")
	page.get_by_text(re.compile("not permitted", re.IGNORECASE)).first.wait_for()


def test_workspace_on_a_phone(signed_in: Callable[..., Any], picture: Callable[[Any, str], None]) -> None:
	page = signed_in("user", PHONE)
	page.goto("/app/attendance-bridge")
	eventually(lambda: page.locator(".number-widget-box .number").count() == 4)
	page.wait_for_timeout(1500)
	assert_fits(page)
	picture(page, "workspace-phone")


def test_map_an_unmapped_person(
	fetched: Premises, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	worker = fetched.workforce.workers[-1]
	employee = fetched.employee(fetched.name_of(worker))
	page = signed_in("user")
	page.goto("/app/unmapped-people")
	card = card_of(page, fetched.prefix + worker.device_user_id)
	picture(page, "unmapped-people")
	suggestion = card.locator(".d-flex", has_text=employee)
	assert "has the name that stands on the terminal" in suggestion.inner_text()
	suggestion.get_by_role("button", name="Map").click()
	card.wait_for(state="detached")
	held = [row for row in fetched.punches_of(worker.device_user_id) if row["status"] != "Quarantined"]
	assert held
	eventually(
		lambda: (
			{row["status"] for row in fetched.punches_of(worker.device_user_id)}
			<= {"Checked in", "Duplicate", "Quarantined"}
		)
	)
	made = fetched.site.rows("Employee Checkin", {"employee": employee}, ["name"])
	assert len(made) == sum(
		row["status"] == "Checked in" for row in fetched.punches_of(worker.device_user_id)
	)


def test_what_terminals_send_never_becomes_markup(fetched: Premises, signed_in: Callable[..., Any]) -> None:
	page = signed_in("manager")
	page.goto("/app/unmapped-people")
	card = card_of(page, fetched.prefix + HELD)
	assert HOSTILE in card.inner_text()
	assert page.locator(".unmapped-people img").count() == 0
	card.get_by_role("button", name="Show Punches").click()
	title = page.locator(".list-row").get_by_text("ID ‹b›7‹/b›").first
	title.wait_for()
	title.click()
	page.locator(".form-page").get_by_text("No employee has this attendance device ID").first.wait_for()
	assert page.evaluate("window.injected") is None


def test_ignore_an_id_and_take_it_back(fetched: Premises, signed_in: Callable[..., Any]) -> None:
	page = signed_in("user")
	page.goto("/app/unmapped-people")
	card = card_of(page, fetched.prefix + HELD)
	card.get_by_role("button", name="Ignore This ID").click()
	dialog = page.locator(".modal.show")
	dialog.locator("input[data-fieldname='reason']").fill("a test of the terminal <b>")
	dialog.get_by_role("button", name="Ignore", exact=True).click()
	card.wait_for(state="detached")
	(punch,) = fetched.punches_of(HELD)
	assert (punch["status"], punch["status_reason"]) == ("Ignored", "set_aside:a test of the terminal <b>")
	page.goto(f"/app/punch-log/{punch['name']}")
	page.get_by_text("ignored this punch: a test of the terminal <b>").wait_for()
	page.get_by_role("button", name="Take Back Ignore").click()
	eventually(lambda: fetched.punches_of(HELD)[0]["status"] == "Unmapped")


def test_retry_a_rejected_punch(
	fetched: Premises, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	worker = fetched.workforce.workers[0]
	site = fetched.site
	before = {row["name"] for row in fetched.punches_of(worker.device_user_id)}
	site.update("HR Settings", "HR Settings", allow_geolocation_tracking=1)
	try:
		fetched.punch(worker.device_user_id)
		page = signed_in("system")
		page.goto(f"/app/device-configuration/{fetched.device}")
		page.get_by_role("button", name="Fetch Check-in").click()
		page.locator(".modal.show").get_by_role("button", name="Fetch", exact=True).click()
		page.locator(".fetch-watch:visible").get_by_text("Complete").wait_for()
	finally:
		site.update("HR Settings", "HR Settings", allow_geolocation_tracking=0)
	(rejected,) = (row for row in fetched.punches_of(worker.device_user_id) if row["name"] not in before)
	assert (rejected["status"], rejected["status_reason"]) == ("Rejected", "geolocation_required")
	page = signed_in("user")
	page.goto(f"/app/punch-log/{rejected['name']}")
	page.locator(".form-message", has_text="then retry.").first.wait_for()
	picture(page, "punch-rejected")
	page.get_by_role("button", name="Retry").click()
	eventually(lambda: site.value("Punch Log", rejected["name"], "status") == "Checked in")
	page.reload()
	page.get_by_text("asked for another try").first.wait_for()


def test_approve_times_in_the_list(fetched: Premises, signed_in: Callable[..., Any]) -> None:
	filters = {"device": fetched.device, "status": "Quarantined"}
	held = fetched.site.rows("Punch Log", filters, ["name"])
	assert held
	page = signed_in("manager")
	page.goto(f"/app/punch-log?device={fetched.device}&status=Quarantined")
	page.locator(".list-row-container").first.wait_for()
	# The list is drawn again once the words for the reasons are there.
	page.get_by_text(re.compile("A time (before|that has not)")).first.wait_for()
	page.wait_for_timeout(2000)
	page.locator(".list-header-subject input.list-check-all").check()
	page.get_by_text(f"{len(held)} items selected").wait_for()
	page.get_by_role("button", name="Actions").click()
	page.locator(".actions-btn-group .dropdown-item", has_text="Approve Time").click()
	page.get_by_text(f"Approve Time: {len(held)} punches").wait_for()
	assert not fetched.site.rows("Punch Log", filters, ["name"])


def test_dry_run_of_another_role(
	fetched: Premises, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	page = signed_in("manager")
	page.goto(f"/app/device-configuration/{fetched.device}")
	waiting = {"device": fetched.device, "status": ["in", ["Received", "Pending"]]}
	eventually(lambda: not fetched.site.rows("Punch Log", waiting, ["name"]))
	before = fetched.site.rows("Punch Log", {"device": fetched.device}, ["name", "modified", "log_type"])
	page.get_by_role("button", name="Dry Run").click()
	dialog = page.locator(".modal.show")
	dialog.locator("select[data-fieldname='device_role']").select_option("In")
	dialog.get_by_role("button", name="Show What Would Change").click()
	dialog.locator(".dry-run-result table").wait_for()
	assert "OUT → IN" in dialog.inner_text()
	picture(page, "dry-run")
	after = fetched.site.rows("Punch Log", {"device": fetched.device}, ["name", "modified", "log_type"])
	assert after == before


def test_a_held_shift_says_why(
	fetched: Premises, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	fetched.site.update("Device Configuration", fetched.device, shifts=[{"shift_type": fetched.shift}])
	never = fetched.site.insert(
		"Device Configuration",
		device_name=f"Back Door {fetched.mark}",
		driver="hikvision_isapi",
		device_ip="127.0.0.1",
		port=9,
		device_user="admin",
		device_user_password="not asked",
		time_zone=ZONE.key,
		enabled=1,
		shifts=[{"shift_type": fetched.shift}],
	)
	try:
		page = signed_in("manager")
		page.goto(f"/app/shift-type/{fetched.shift}")
		page.get_by_text(f"Attendance waits: Back Door {fetched.mark}").first.wait_for()
		picture(page, "held-shift")
		page.goto("/app/query-report/Held Shifts")
		page.get_by_text(f"Back Door {fetched.mark}").first.wait_for()
		picture(page, "held-shifts")
	finally:
		fetched.site.update("Device Configuration", never, enabled=0)


def test_unmapped_people_on_a_phone(
	signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	page = signed_in("manager", PHONE)
	page.goto("/app/unmapped-people")
	page.locator(".unmapped-people .frappe-card").first.wait_for()
	assert_fits(page)
	picture(page, "unmapped-people-phone")


def test_german(
	fetched: Premises, signed_in: Callable[..., Any], picture: Callable[[Any, str], None]
) -> None:
	fetched.site.update("User", fetched.users["user"], language="de")
	try:
		page = signed_in("user")
		page.goto("/app/unmapped-people")
		page.get_by_text("Nicht zugeordnete Personen").first.wait_for()
		page.get_by_role("button", name="Mitarbeiter wählen").first.wait_for()
		picture(page, "unmapped-people-german")
	finally:
		fetched.site.update("User", fetched.users["user"], language="en")


def card_of(page: Any, device_user_id: str) -> Any:
	"""The card of an id on the page of unmapped people; those with few punches come late."""
	page.locator(".unmapped-people .frappe-card").first.wait_for()
	card = page.locator(".unmapped-people .frappe-card", has_text=f"ID {device_user_id}")
	while not card.count():
		shown = page.locator(".unmapped-people .frappe-card").count()
		page.get_by_role("button", name="Show More").click()
		page.wait_for_function(
			"shown => document.querySelectorAll('.unmapped-people .frappe-card').length > shown", arg=shown
		)
	return card


def statuses_in(page: Any) -> set[str]:
	return {each.strip() for each in page.locator(".list-row .indicator-pill").all_inner_texts()}


def assert_fits(page: Any) -> None:
	"""Nothing has to be scrolled sideways."""
	wide, there = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
	assert wide <= there
