"""Entering a missing punch by hand and withdrawing it: pages, files, calls."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from attendance_bridge.core.person import Person
from attendance_bridge.edge.messages import CORRECTIONS, ENTERING
from attendance_bridge.edge.web.access.scopes import Scope
from tests.edge.rig import Edge
from tests.edge.web.rig import Browser, Office, acts, text
from tests.edge.workdays.rig import ANNA, BEN, DAY_SHIFT, MONDAY, Shop, settings_of

PERSON = "/people/days?employee=HR-1&month=2026-03"
FORM = {
	"employee": "HR-1",
	"month": "2026-03",
	"date": "2026-03-02",
	"time": "17:30",
	"log_type": "OUT",
	"why": "<i>forgot",
}
BODY = {"employee": "HR-1", "wall_time": "2026-03-02 17:30:00", "log_type": "OUT", "why": "forgot"}


@pytest.fixture
def shop(edge: Edge) -> Shop:
	"""Anna has forgotten her OUT on Monday."""
	made = Shop(edge, [ANNA, BEN], shifts=[DAY_SHIFT])
	made.passes("1", "09:00")
	made.passes("1", "09:00", "17:00", day=MONDAY + timedelta(days=1))
	made.settle()
	return made


def row_of(browser: Browser, path: str) -> dict[str, str]:
	body = text(browser, path).removeprefix("\ufeff")
	return next(row for row in csv.DictReader(io.StringIO(body)) if row.get("Name", "Anna") == "Anna")


@pytest.fixture
def enter(browser: Browser) -> Callable[..., Any]:
	token = browser.token(PERSON)
	return lambda **change: browser.post("/people/days/punches", data={**FORM, "csrf_token": token, **change})


# pages and files


def test_a_missing_out_is_found_entered_seen_everywhere_and_withdrawn(
	browser: Browser, office: Office, shop: Shop, enter: Callable[..., Any]
) -> None:
	day = text(browser, "/days?date=2026-03-02")
	link = "/people/days?employee=HR-1&amp;month=2026-03&amp;date=2026-03-02&amp;log_type=OUT#enter"
	for page in (day, text(browser, "/months?month=2026-03"), text(browser, PERSON)):
		assert f'href="{link}"' in page
	form = text(browser, link.replace("&amp;", "&").partition("#")[0])
	assert 'name="date" value="2026-03-02"' in form
	assert "<option selected>OUT</option>" in form

	answer = enter()
	assert answer.status_code == 303
	assert ENTERING["waits"] in text(browser, answer.location)
	assert "not counted yet" in text(browser, answer.location)
	shop.settle()
	again = enter()
	page = text(browser, again.location)
	assert ENTERING["known"] in page
	assert "not counted yet" not in page
	assert "09:00 IN · 17:30 OUT" in page
	assert "— boss, 2026-04-01 08:00: “&lt;i&gt;forgot”" in page
	assert acts(office).count(("punch_entered", "boss")) == 1

	day = text(browser, "/days?date=2026-03-02")
	assert "✎ 17:30 OUT was entered by hand: boss, 2026-04-01 08:00, “&lt;i&gt;forgot”" in day
	assert "8:30" in day
	assert "with a punch entered by hand" in text(browser, "/months?month=2026-03")
	row = row_of(browser, "/days.csv?date=2026-03-02")
	assert (row["Out"], row["Hours"], row["To Look At"]) == ("2026-03-02 17:30:00", "8.50", "")
	assert row["By Hand"] == "17:30:00 OUT entered by boss: <i>forgot"
	book = openpyxl.load_workbook(io.BytesIO(browser.get("/months.xlsx?month=2026-03").data))
	head, anna = list(book["Month"].iter_rows(values_only=True))[:2]
	assert anna[head.index("By Hand")] == 1
	days = list(book["Days"].iter_rows(values_only=True))
	assert [row[days[0].index("By Hand")] for row in days[1:] if row[days[0].index("By Hand")]] == [
		"17:30:00 OUT entered by boss: <i>forgot"
	]

	board = office.services.board()
	assert board["punches"][0]["device"] == "by hand"
	assert [each["reason"] for each in board["checkins"]].count("entered by hand") == 1
	punches = text(browser, "/punches?device=by+hand")
	assert "<option selected>by hand</option>" in punches
	assert punches.count('<td class="time">') == 1
	assert "✎ entered by hand" in punches
	row = next(
		row
		for row in csv.DictReader(io.StringIO(text(browser, "/punches.csv").removeprefix("\ufeff")))
		if row["by_hand"]
	)
	assert (row["device_serial"], row["log_type_reason"]) == ("BY-HAND", "by_hand")
	assert (row["correction_reason"], row["corrected_by"]) == ("<i>forgot", "boss")
	assert "none: entered by hand" in text(browser, f"/punches/{row['punch_id']}")

	withdrawal = f"/people/days/punches/{row['punch_id']}/withdrawal"
	token = browser.token(PERSON)
	refused = browser.post(withdrawal, data={"why": " ", "csrf_token": token})
	assert (refused.status_code, ENTERING["why"] in refused.get_data(as_text=True)) == (400, True)
	for why, said in (("a mistake", "withdrawn"), ("me too", "withdrawn_before")):
		answer = browser.post(withdrawal, data={"why": why, "csrf_token": token})
		assert answer.status_code == 303
		page = text(browser, answer.location)
		assert ENTERING[said] in page
	assert "me too" not in page
	assert "09:00 IN</td>" in page
	assert "Withdrawn <span" in page
	assert "No OUT" in page
	assert "entered by hand, withdrawn" in text(browser, "/punches")
	assert acts(office).count(("punch_withdrawn", "boss")) == 1
	row = row_of(browser, "/days.csv?date=2026-03-02")
	assert (row["Out"], row["By Hand"], row["To Look At"]) == ("", "", "No OUT")


def test_who_corrects_it_stands_beside_who_entered_it(browser: Browser, office: Office, shop: Shop) -> None:
	key = office.key(Scope.CORRECT)
	office.browser().post("/api/v1/entered-punches", headers=key, json=BODY)
	shop.settle()
	(found,) = shop.workdays.entered_between("HR-1", MONDAY, MONDAY)
	correct, here = f"/punches/{found.punch_id}/corrections", {"csrf_token": browser.token(PERSON)}
	browser.post(correct, data={**here, "kind": "set_in", "why": "was in"})
	told = ('OUT <span class="quiet">— key program 0,', 'Corrected to IN <span class="quiet">— boss,')
	page = text(browser, PERSON)
	assert [words in page for words in told] == [True, True]
	row = row_of(browser, "/days.csv?date=2026-03-02")
	assert row["By Hand"].endswith("OUT entered by key program 0: forgot, corrected to IN by boss: was in")
	day = text(browser, "/days?date=2026-03-02")
	assert "OUT was entered by hand: key program 0, 2026-04-01 08:00, “forgot”; corrected to IN: boss," in day
	for kind in ("ignore", "set_out", "ignore"):
		browser.post(correct, data={**here, "kind": kind, "why": kind})
		shop.settle()
	page = text(browser, PERSON)
	assert (page.count("OUT</s> <span"), page.count("Corrected to IN</s>")) == (2, 1)
	assert page.count("Withdrawn <span") == 2


def test_it_is_corrected_to_hold_again_only_where_it_could_be_entered(
	browser: Browser, office: Office, shop: Shop, enter: Callable[..., Any]
) -> None:
	enter()
	shop.settle()
	(found,) = shop.workdays.entered_between("HR-1", MONDAY, MONDAY)
	page, form = f"/punches/{found.punch_id}", {"csrf_token": browser.token(PERSON)}
	browser.post(f"{page}/corrections", data={**form, "kind": "ignore", "why": "a mistake"})
	shop.settle()
	enter(time="17:30:40")
	shop.settle()
	answer = browser.post(f"{page}/corrections", data={**form, "kind": "set_out", "why": "<b>no, it was"})
	shown = answer.get_data(as_text=True)
	words = CORRECTIONS["too_near"].format(at="17:30:40", seconds=60)
	assert (answer.status_code, words in shown) == (409, True)
	# What was typed in is still there.
	assert '<option value="set_out" selected>' in shown
	assert 'value="&lt;b&gt;no, it was"' in shown
	called = office.browser().post(
		f"/api/v1/punches/{found.punch_id}/corrections",
		headers=office.key(Scope.CORRECT),
		json={"kind": "set_in", "why": "no, it was"},
	)
	assert (called.status_code, called.get_json()) == (409, {"error": "too_near", "sentence": words})
	assert [said.act.value for said in shop.workdays.entered_between("HR-1", MONDAY, MONDAY)[0].history] == [
		"entered",
		"withdrawn",
	]


REFUSED: tuple[tuple[dict[str, str], int, str], ...] = (
	({"time": ""}, 400, "time"),
	({"time": "25:00"}, 400, "time"),
	({"date": "2026-02-30"}, 400, "time"),
	({"date": "20260302"}, 400, "time"),
	({"time": "17:30+04:00"}, 400, "time"),
	({"why": " "}, 400, "why"),
	({"why": "x" * 201}, 400, "why"),
	({"why": "a\u202eb"}, 400, "why"),
	({"date": "2026-04-01", "time": "08:03"}, 400, "in_the_future"),
	({"date": "9999-12-31"}, 400, "in_the_future"),
	({"date": "2025-03-30"}, 400, "too_old"),
	({"date": "0001-01-01"}, 400, "too_old"),
	({"time": "09:00"}, 400, "same_second"),
	({"time": "09:00:59"}, 400, "too_near"),
	({"log_type": "AWAY"}, 400, ""),
	({"fold": "2"}, 400, ""),
	({"employee": "nobody"}, 404, ""),
)


def test_what_cannot_be_is_refused_with_its_reason(
	browser: Browser, office: Office, enter: Callable[..., Any]
) -> None:
	before = acts(office)
	for change, status, problem in REFUSED:
		answer = enter(**change)
		assert answer.status_code == status, change
		words = ENTERING.get(problem, "").format(at="09:00:00", seconds=60)
		assert words in answer.get_data(as_text=True), change
	# What was typed in is still there.
	assert 'value="17:30" required' in enter(why="").get_data(as_text=True)
	assert acts(office) == before
	assert enter(date="2026-04-01", time="08:02").status_code == 303  # within the tolerance


def test_a_clock_change_is_asked_about(edge: Edge) -> None:
	berlin = {"agent": {"timezone": "Europe/Berlin"}}
	shop = Shop(edge, [ANNA], **berlin)
	shop.settle()
	edge.clock.advance(days=240)  # the end of November
	office = Office(edge, workdays=shop.workdays, by_hand=shop.by_hand, settings=settings_of(berlin))
	office.account("boss", "manager")
	browser = office.browser()
	browser.log_in("boss")
	form = {**FORM, "csrf_token": browser.token(PERSON), "time": "02:30"}

	def page(**change: str) -> str:
		answer = browser.post("/people/days/punches", data={**form, **change}, follow_redirects=True)
		return answer.get_data(as_text=True)

	assert ENTERING["skipped_hour"] in page(date="2026-03-29")
	asked = page(date="2026-10-25")
	assert ENTERING["repeated_hour"] in asked
	assert 'name="fold"' in asked
	assert 'name="fold"' not in page(date="2026-10-26")
	assert ENTERING["not_repeated"] in page(date="2026-10-24", fold="1")
	page(date="2026-10-25", fold="0")
	assert "(the second time)" in page(date="2026-10-25", fold="1")
	assert len(shop.workdays.entered_between("HR-1", MONDAY.replace(month=10), MONDAY.replace(month=11))) == 3
	shop.settle()
	told = row_of(browser, "/days.csv?date=2026-10-25")["By Hand"].split("; ")
	assert [each.partition(" OUT")[0] for each in told] == [
		"02:30:00 (the first time)",
		"02:30:00 (the second time)",
	]


def test_an_id_of_several_is_nobodys(edge: Edge) -> None:
	twins = [ANNA, Person(employee="HR-9", attendance_device_id="1"), Person(employee="HR-8")]
	shop = Shop(edge, twins, shifts=[DAY_SHIFT])
	shop.settle()
	office = Office(edge, workdays=shop.workdays, by_hand=shop.by_hand, settings=shop.settings)
	key = office.key(Scope.CORRECT)
	for employee in ("HR-1", "HR-8"):
		answer = office.browser().post(
			"/api/v1/entered-punches", headers=key, json={**BODY, "employee": employee}
		)
		assert (answer.status_code, answer.get_json()["error"]) == (409, "no_device_id")


def test_who_may_only_look_sees_it_and_changes_nothing(
	office: Office, shop: Shop, enter: Callable[..., Any]
) -> None:
	enter()
	shop.settle()
	office.account("eve", "viewer")
	eve = office.browser()
	eve.log_in("eve")
	page = text(eve, PERSON)
	assert "“&lt;i&gt;forgot”" in page
	assert "Enter a missing punch" not in page
	assert "<summary>Withdraw" not in page
	assert "#enter" not in text(eve, "/days?date=2026-03-02") + text(eve, "/months?month=2026-03")
	(found,) = shop.workdays.entered_between("HR-1", MONDAY, MONDAY)
	token = eve.token(PERSON)
	for path in ("/people/days/punches", f"/people/days/punches/{found.punch_id}/withdrawal"):
		assert eve.post(path, data={**FORM, "csrf_token": token}).status_code == 403
		assert eve.post(path, data=FORM).status_code == 403


def test_a_form_from_elsewhere_and_an_unknown_punch(browser: Browser) -> None:
	assert browser.post("/people/days/punches", data=FORM).status_code == 400
	nowhere = "/people/days/punches/00000000-0000-0000-0000-000000000000/withdrawal"
	answer = browser.post(nowhere, data={"why": "x", "csrf_token": browser.token(PERSON)})
	assert answer.status_code == 404


# calls


def test_the_same_call_twice_is_one_punch(office: Office, shop: Shop) -> None:
	browser, key = office.browser(), office.key(Scope.CORRECT)
	first = browser.post("/api/v1/entered-punches", headers=key, json=BODY)
	assert first.get_json() == {
		"punch_id": first.get_json()["punch_id"],
		"news": True,
		"counted": False,
		"sentence": ENTERING["waits"],
	}
	shop.settle()
	again = browser.post("/api/v1/entered-punches", headers=key, json=BODY).get_json()
	assert again == {**first.get_json(), "news": False, "counted": True, "sentence": ENTERING["known"]}
	day = browser.get("/api/v1/working-days?date=2026-03-02", headers=office.key(Scope.VIEW)).get_json()
	scans = next(day for day in day["days"] if day["employee_id"] == "HR-1")["scans"]
	assert [(scan["type"], scan["by_hand"]) for scan in scans] == [("IN", False), ("OUT", True)]
	punches = browser.get("/api/v1/punches", headers=office.key(Scope.VIEW)).get_json()["punches"]
	assert [each["punch_id"] for each in punches if each["by_hand"]] == [again["punch_id"]]
	path = f"/api/v1/entered-punches/{again['punch_id']}/withdrawal"
	said = [browser.post(path, headers=key, json={"why": "x"}).get_json() for _twice in range(2)]
	assert [(each["news"], each["sentence"]) for each in said] == [
		(True, ENTERING["withdrawn"]),
		(False, ENTERING["withdrawn_before"]),
	]
	assert shop.day("HR-1").day.last_out is None
	assert [act for act in acts(office) if act[0].startswith("punch_")] == [
		("punch_entered", "key program 0"),
		("punch_withdrawn", "key program 0"),
	]


def test_outside_of_every_shift_it_is_kept_and_said_to_count_for_nothing(office: Office, shop: Shop) -> None:
	browser, key = office.browser(), office.key(Scope.CORRECT)
	for wall_time, said in (("2026-03-03 05:00", "outside"), ("2026-03-03 07:00", "waits")):
		answer = browser.post("/api/v1/entered-punches", headers=key, json={**BODY, "wall_time": wall_time})
		assert (answer.get_json()["counted"], answer.get_json()["sentence"]) == (False, ENTERING[said])
	shop.settle()
	day = shop.day("HR-1", MONDAY + timedelta(days=1))
	assert [scan.at.hour + 4 for scan in day.outside] == [5]
	assert [scan.at.hour + 4 for scan in day.day.scans] == [7, 9, 17]


CALLS: tuple[tuple[dict[str, object], int, str], ...] = (
	({"wall_time": "2026-02-30 10:00"}, 409, "time"),
	({"wall_time": "2026-03-02T09:00:00"}, 409, "same_second"),
	({"wall_time": "2026-03-02 09:00:59"}, 409, "too_near"),
	({"wall_time": "2026-04-02 10:00"}, 409, "in_the_future"),
	({"wall_time": "2001-04-02 10:00"}, 409, "too_old"),
	({"employee": "nobody"}, 404, "no_such_person"),
	({"why": "  "}, 422, "bad_value"),
	({"why": "x" * 201}, 422, "bad_value"),
	*(({"why": why}, 422, "bad_value") for why in ("a\0", "a\x1b[2J", "a\nb", "a\u202eb")),
	({"wall_time": "noon"}, 422, "bad_value"),
	({"fold": 2}, 422, "bad_value"),
	({"fold": 1}, 409, "not_repeated"),
	({"log_type": ""}, 422, "bad_value"),
)


def test_calls_that_are_refused_say_why(office: Office, shop: Shop) -> None:
	browser, key = office.browser(), office.key(Scope.CORRECT)
	for change, status, code in CALLS:
		answer = browser.post("/api/v1/entered-punches", headers=key, json={**BODY, **change})
		assert (answer.status_code, answer.get_json()["error"]) == (status, code), change
	terminal = shop.edge.held()[0].punch.punch_id
	path = f"/api/v1/entered-punches/{terminal}/withdrawal"
	answer = browser.post(path, headers=key, json={"why": "x"})
	assert (answer.status_code, answer.get_json()["error"]) == (409, "of_a_terminal")
	assert browser.post(path, headers=office.key(Scope.VIEW), json={"why": "x"}).status_code == 403
	assert len(shop.edge.held()) == 3


def test_where_check_ins_go_elsewhere_it_is_refused(edge: Edge) -> None:
	office = Office(edge)
	browser, key = office.browser(), office.key(Scope.CORRECT)
	nowhere = "/api/v1/entered-punches/00000000-0000-0000-0000-000000000000/withdrawal"
	for path, body in (("/api/v1/entered-punches", BODY), (nowhere, {"why": "x"})):
		answer = browser.post(path, headers=key, json=body)
		assert (answer.status_code, answer.get_json()["error"]) == (409, "kept_elsewhere")
	office.account("boss", "admin")
	browser.log_in("boss")
	form = {**FORM, "csrf_token": browser.token("/people")}
	assert browser.post("/people/days/punches", data=form).status_code == 404
