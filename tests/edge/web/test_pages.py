"""The pages of people, punches and status, as HTML and CSV."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.person import Person
from attendance_bridge.edge.messages import CORRECTIONS
from attendance_bridge.edge.settings import from_mapping
from tests.edge.rig import Edge, punch
from tests.edge.web.rig import Browser, Office, acts, text
from tests.edge.web.test_api import decide, fill


@pytest.fixture
def browser(office: Office, edge: Edge) -> Browser:
	fill(edge)
	office.account("boss", "admin")
	found = office.browser()
	found.log_in("boss")
	return found


@pytest.mark.parametrize("path", ["/people", "/punches", "/status", "/api/v1/docs", "/"])
def test_a_page_needs_nothing_from_elsewhere_and_nothing_inline(browser: Browser, path: str) -> None:
	page = text(browser, path)
	assert "//" not in page.replace("<!doctype html>", "").replace("https://", "")
	assert "style=" not in page
	assert "<style" not in page
	assert "<script>" not in page
	assert " onclick" not in page


@pytest.mark.parametrize(
	("live", "posts", "shown"),
	[
		(None, None, []),
		({}, None, ["listening, since 3 min ago; last punch 40 s ago; 2 gaps read again", 'class="good"']),
		({"standing": "paused", "code": "timeout"}, None, ["broke off", "did not answer in time"]),
		(None, {}, ["delivers; last arrival 40 s ago", 'class="good"']),
		(None, {"told_at": None, "arrived_at": None}, ["not told yet"]),
		(None, {"code": "secret_missing"}, ["not told yet", "Give [receiver] a token"]),
		(None, {"code": "no_free_place"}, ["not told yet", "no place left"]),
		(None, {"not_kept": ["url", "<b>"]}, ["reads back otherwise: url, &lt;b&gt;", 'class="bad"']),
		(
			None,
			{"reaches_us": False, "said": "no route"},
			["nothing will come", "its own test says: no route"],
		),
		(None, {"delivery": "never"}, ["nothing comes; it is told again"]),
	],
)
def test_the_live_roads_of_a_terminal(
	office: Office, live: dict[str, Any] | None, posts: dict[str, Any] | None, shown: list[str]
) -> None:
	now = office.edge.clock()
	since, just_now = (now - timedelta(minutes=3)).isoformat(), (now - timedelta(seconds=40)).isoformat()
	view, status = office.services.board, office.services.status
	assert status is not None
	listening = {"standing": "listening", "since": since, "event_at": just_now, "gaps": 2, "code": ""}
	posting = {
		"delivery": "delivers",
		"told_at": since,
		"arrived_at": just_now,
		"not_kept": [],
		"reaches_us": True,
		"said": "ok",
		"code": "",
	}
	device = {"name": "Gate", "state": "online", "tone": "good", "last_seen": just_now}
	facts = {
		"live": {} if live is None else {"Gate": {**listening, **live}},
		"posts": {} if posts is None else {"Gate": {**posting, **posts}},
	}
	seen = Office(
		office.edge, board=lambda: {**view(), "devices": [device]}, status=lambda: {**status(), **facts}
	)
	seen.account("anna", "viewer")
	browser = seen.browser()
	browser.log_in("anna")
	page = text(browser, "/status")
	for words in shown:
		assert words in page
	assert ("<dt>Listening</dt>" in page) is (live is not None)
	assert ("<dt>Posts</dt>" in page) is (posts is not None)


def test_people(browser: Browser) -> None:
	page = text(browser, "/people")
	assert "2 people" in page
	assert "1 person" in text(browser, "/people?q=anna")
	assert "Nobody." in text(browser, "/people?q=zzz&page=9999999999999999999")


def test_a_name_is_no_markup(browser: Browser, edge: Edge) -> None:
	edge.roster.replace([Person(employee="<b>1", full_name='<script>alert("x")</script>')], edge.clock())
	page = text(browser, "/people")
	assert "<script>alert" not in page
	assert "<b>1" not in page


def test_punches_in_pages(browser: Browser, edge: Edge) -> None:
	edge.hold(*(punch("7", 700 + minutes) for minutes in range(60)))
	decide(edge)
	first = text(browser, "/punches?employee=anna")
	assert first.count('class="time"') == 50
	earlier = first.split('href="/punches?before=')[1].split('"')[0].replace("&amp;", "&")
	assert text(browser, f"/punches?before={earlier}").count('class="time"') == 20


@pytest.mark.parametrize(
	"query",
	["day=x", "state=x", "before=x", "before=1.x", "before=99999999999999999999.00", "day=0001-01-01"],
)
def test_what_makes_no_sense_is_left_out(browser: Browser, query: str) -> None:
	assert browser.get(f"/punches?{query}").status_code == 200


def test_a_correction_by_the_form(browser: Browser, edge: Edge) -> None:
	punch_id = edge.held()[0].punch.punch_id
	page = f"/punches/{punch_id}"
	form = {"kind": "set_out", "why": "=forgot <b>", "csrf_token": browser.token(page)}
	answer = browser.post(f"{page}/corrections", data=form)
	assert answer.status_code == 303
	decide(edge)
	shown = text(browser, answer.location)
	assert "Kept. The punch is decided again and sent by it." in shown
	assert "=forgot &lt;b&gt;" in shown
	assert "boss" in shown
	for why in (" ", "a\u202eb", "a\r\nb"):
		answer = browser.post(f"{page}/corrections", data={**form, "why": why})
		assert (answer.status_code, CORRECTIONS["why"] in answer.get_data(as_text=True)) == (400, True)
	assert browser.post(f"{page}/corrections", data={**form, "kind": "retry"}).status_code == 409


def test_who_may_only_look_cannot_correct(browser: Browser, office: Office, edge: Edge) -> None:
	office.account("eve", "viewer")
	eve = office.browser()
	eve.log_in("eve")
	page = f"/punches/{edge.held()[0].punch.punch_id}"
	assert "Keep the correction" not in text(eve, page)
	form = {"kind": "ignore", "why": "x", "csrf_token": eve.token(page)}
	assert eve.post(f"{page}/corrections", data=form).status_code == 403


def test_the_export_is_all_that_was_asked_for_and_no_formula(browser: Browser, edge: Edge) -> None:
	edge.hold(punch('=cmd|"/c calc"!A1', 5), punch("+7", 6), punch("@x", 7), punch("-1", 8), punch("\t=1", 9))
	decide(edge)
	answer = browser.get("/punches.csv?state=unmapped")
	assert answer.content_type.startswith("text/csv")
	assert "attachment" in answer.headers["Content-Disposition"]
	body = answer.get_data(as_text=True)
	assert body.startswith("\ufeff")
	rows = list(csv.DictReader(io.StringIO(body.removeprefix("\ufeff"))))
	assert len(rows) == 7
	ids = {row["device_user_id"] for row in rows}
	assert {'\'=cmd|"/c calc"!A1', "'+7", "'@x", "'-1", "'\t=1", "99"} <= ids
	assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())


def test_the_export_goes_on_over_many_pages(browser: Browser, edge: Edge) -> None:
	edge.hold(*(punch("7", 700 + seconds / 60, serial="T3") for seconds in range(1_201)))
	body = browser.get("/punches.csv?device=T3").get_data(as_text=True)
	assert body.count("\r\n") == 1_202


def test_status(browser: Browser) -> None:
	page = text(browser, "/status")
	assert "Local ledger" in page
	assert "not known: name its place in [agent] backup" in page
	assert "Test the upstream" not in page  # nothing to try it with


def test_what_is_not_possible_is_a_page_for_people_and_a_code_for_programs(
	browser: Browser, office: Office
) -> None:
	office.account("eve", "viewer")
	eve = office.browser()
	eve.log_in("eve")
	looks = {"Accept": "text/html,application/xhtml+xml"}
	for who, method, path, status, words, code in (
		(browser, "GET", "/nowhere", 404, "There is no such page", "not_found"),
		(browser, "POST", "/people", 405, "There is no such page", "method_not_allowed"),
		(browser, "POST", "/status/retries", 400, "open for too long", "csrf"),
		(eve, "POST", "/status/retries", 403, "Your account may not do this", "forbidden"),
	):
		page = who.ask(method, path, headers=looks)
		assert page.status_code == status, path
		assert words in page.get_data(as_text=True)
		assert 'href="/people"' in page.get_data(as_text=True)
		told = who.ask(method, path)
		assert (told.status_code, told.get_json()["error"]) == (status, code)
	assert browser.get("/api/v1/nowhere", headers=looks).get_json()["error"] == "not_found"
	assert browser.post("/people").headers["Allow"]


def test_what_was_put_right_is_tried_again_at_once(browser: Browser, office: Office, edge: Edge) -> None:
	page = text(browser, "/status")
	assert "Try all unmapped again" in page
	assert "Try all rejected again" not in page
	form = {"state": "unmapped", "csrf_token": browser.token("/status")}
	answer = browser.post("/status/retries", data=form)
	assert answer.status_code == 303
	assert "2 punches are decided and sent again." in text(browser, answer.location)
	assert {held.state.value for held in edge.held() if not held.employee} == {"received"}
	assert ("punches_retried", "boss") in acts(office)
	for state in ("quarantined", "checked_in", "", "x"):
		assert browser.post("/status/retries", data={**form, "state": state}).status_code == 400


def test_where_the_site_decides_nothing_is_tried_again_here(edge: Edge) -> None:
	fill(edge)
	office = Office(edge, site_decides=True)
	office.account("boss", "admin")
	browser = office.browser()
	browser.log_in("boss")
	assert "again</button>" not in text(browser, "/status")
	form = {"state": "unmapped", "csrf_token": browser.token("/status")}
	assert browser.post("/status/retries", data=form).status_code == 400


def test_an_export_is_written_down(browser: Browser, office: Office) -> None:
	browser.get("/punches.csv?state=unmapped&day=x")
	last = office.access.audit.latest(1)[0]
	assert (last.act, last.who, last.details) == ("punches_exported", "boss", "state unmapped")


@pytest.mark.parametrize(
	("accepted", "head", "words"),
	[
		("de-AT", 'lang="de" dir="ltr"', ("Anmelden", "Name oder Passwort ist falsch.")),
		("ar", 'lang="ar" dir="rtl"', ("تسجيل الدخول", "الاسم أو كلمة المرور غير صحيحة.")),
		("fr", 'lang="en" dir="ltr"', ("Log in", "Name or password is wrong.")),
	],
)
def test_the_login_in_the_language_of_the_browser(
	office: Office, accepted: str, head: str, words: tuple[str, str]
) -> None:
	browser, headers = office.browser(), {"Accept-Language": accepted}
	form = {"name": "x", "password": "y", "csrf_token": browser.token("/login")}
	shown = browser.get("/login", headers=headers).get_data(as_text=True)
	refused = browser.post("/login", data=form, headers=headers).get_data(as_text=True)
	assert head in shown
	assert words[0] in shown
	assert words[1] in refused


def test_moments_are_those_of_the_place(edge: Edge) -> None:
	there = Office(edge, settings=from_mapping({"agent": {"database": "x.db", "timezone": "Asia/Dubai"}}))
	fill(edge)
	there.account("boss", "admin")
	browser = there.browser()
	browser.log_in("boss")
	wall = edge.clock().astimezone(ZoneInfo("Asia/Dubai"))
	assert f"list of {wall:%Y-%m-%d %H:%M}<" in text(browser, "/people")
