"""Who may do what: nobody by default."""

from __future__ import annotations

import importlib.util
import itertools
import sqlite3
import sys
import threading
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from flask import Blueprint
from werkzeug.routing import Rule

from attendance_bridge.cli.root import run
from attendance_bridge.edge.web import board, streams
from attendance_bridge.edge.web.access import access, passwords
from attendance_bridge.edge.web.access.guard import BROWSER_COOKIE, LOGIN_COOKIE
from attendance_bridge.edge.web.access.names import check_name
from attendance_bridge.edge.web.access.scopes import ROLES, Scope
from attendance_bridge.stores.accounts import IDLE, LONGEST, NOTED_EVERY
from tests.edge.rig import Edge
from tests.edge.web.rig import ELSEWHERE, PASSWORD, Browser, Office, acts
from tests.steps import at_step

PUBLIC = {"static", "board.give_health", "session.show_login", "session.log_in", "session.log_out"}
"""All that somebody may ask for who has not said who they are."""


def path_of(rule: Rule) -> str:
	return rule.rule.replace("<uuid:punch_id>", str(UUID(int=1))).replace("<path:filename>", "app.css")


def mutating(rule: Rule) -> set[str]:
	return (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}


# every route there is


def test_every_route_is_public_by_name_or_refuses_a_stranger(office: Office) -> None:
	seen = set()
	for rule in office.app.url_map.iter_rules():
		for method in (rule.methods or set()) - {"OPTIONS"}:
			seen.add(rule.endpoint)
			answer = office.browser().ask(method, path_of(rule))
			if rule.endpoint in PUBLIC:
				assert answer.status_code != 401, (method, rule)
			else:
				assert answer.status_code == 401, (method, rule)
				assert answer.content_type == "application/json"
			answer.close()
	assert seen > PUBLIC
	assert {"punches.correct", "api.correct_punch", "api.test_connection"} <= seen


def test_every_change_refuses_a_call_without_its_token(office: Office) -> None:
	office.account("boss", "admin")
	browser = office.browser()
	browser.log_in("boss")
	seen = 0
	for rule in office.app.url_map.iter_rules():
		for method in mutating(rule):
			seen += 1
			for token in ({}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": "é"}):
				answer = browser.ask(method, path_of(rule), headers=token, json={})
				assert (answer.status_code, answer.get_json()) == (400, {"error": "csrf"}), (method, rule)
	assert seen >= 4


def test_a_view_that_says_nothing_is_nobodys(office: Office) -> None:
	blueprint = Blueprint("forgotten", __name__)
	blueprint.add_url_rule("/forgotten", view_func=lambda: "here", endpoint="it")
	office.app.register_blueprint(blueprint)
	assert office.browser("127.0.0.1").get("/forgotten").status_code == 403
	assert office.browser().get("/forgotten", headers=office.key(*Scope)).status_code == 403


def test_this_machine_itself_may_see_the_live_pages_and_nothing_else(office: Office) -> None:
	here = office.browser("127.0.0.1")
	assert here.get("/").status_code == 200
	assert here.get("/metrics").status_code == 200
	assert here.get("/punches").status_code == 401
	for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
		assert here.get("/", headers={header: "203.0.113.1"}).status_code == 401


def test_a_browser_is_led_to_the_login_and_back(office: Office) -> None:
	office.account("anna", "viewer")
	browser = office.browser()
	led = browser.get("/punches?state=pending", headers={"Accept": "text/html"})
	assert (led.status_code, led.location) == (302, "/login?next=/punches?state%3Dpending")
	assert browser.log_in("anna", next="/punches?state=pending").location == "/punches?state=pending"


@pytest.mark.parametrize(
	("referrer", "back"),
	[
		("http://localhost/punches?state=pending", "&next=/punches?state%3Dpending"),
		("http://localhost/status/retries", ""),  # takes forms only
		("http://localhost/nowhere", ""),
		("http://evil.example/punches", ""),
		("", ""),
	],
)
def test_a_form_of_somebody_whose_login_has_ended_leads_to_the_login(
	office: Office, referrer: str, back: str
) -> None:
	browser = office.browser()
	headers = {"Accept": "text/html", "Referer": referrer}
	led = browser.post("/status/retries", data={"state": "rejected"}, headers=headers)
	query = led.location.removeprefix("/login?")
	assert (led.status_code, set(query.split("&"))) == (303, {"over=1", *back.split("&")} - {""})
	assert "the form was not taken" in browser.get(led.location).get_data(as_text=True)
	call = browser.post("/api/v1/connection-tests", json={}, headers=headers)
	assert (call.status_code, call.get_json()) == (401, {"error": "login_required"})
	wrong = browser.get("/status/retries")
	assert (wrong.status_code, wrong.get_json()) == (405, {"error": "method_not_allowed"})


@pytest.mark.parametrize(
	"path",
	[
		"//evil.example",
		"https://evil.example",
		"/\\evil.example",
		"evil",
		"/a\\b",
		"/\n/x",
		"/é",
		"/.//evil.example",
	],
)
def test_the_way_back_leads_nowhere_else(office: Office, path: str) -> None:
	office.account("anna", "viewer")
	assert office.browser().log_in("anna", next=path).location == "/"


@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_its_scopes(office: Office, role: str) -> None:
	office.account("anna", role)
	browser = office.browser()
	assert browser.log_in("anna").status_code == 303
	assert (browser.get("/punches").status_code == 200) is (Scope.VIEW in ROLES[role])
	assert (browser.get("/api/v1/audit").status_code == 200) is (Scope.ADMIN in ROLES[role])
	shown = browser.get("/").get_data(as_text=True)
	assert ('href="/punches"' in shown) is (Scope.VIEW in ROLES[role])


# logins


def test_a_login_ends_when_it_is_ended(office: Office) -> None:
	office.account("anna", "viewer")
	browser = office.browser()
	answer = browser.log_in("anna")
	(cookie,) = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith(LOGIN_COOKIE)]
	assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
	assert "Expires" not in cookie
	token = browser.cookie(LOGIN_COOKIE)
	assert token
	browser.post("/logout", data={"csrf_token": browser.token("/punches")})
	browser.client.set_cookie(LOGIN_COOKIE, token)
	assert browser.get("/punches").status_code == 401
	assert acts(office)[-2:] == [("logged_in", "anna"), ("logged_out", "anna")]


def test_the_cookie_is_for_https_only_where_there_is_https(office: Office) -> None:
	office.account("anna", "viewer")
	browser = office.browser()
	form = {"name": "anna", "password": PASSWORD, "csrf_token": browser.token("/login")}
	browser.client.set_cookie(BROWSER_COOKIE, browser.cookie(BROWSER_COOKIE) or "")
	answer = browser.post("/login", data=form, base_url="https://localhost")
	assert "Secure" in "; ".join(answer.headers.getlist("Set-Cookie")).split("; ")


def test_a_login_that_nobody_uses_ends(office: Office) -> None:
	office.account("anna", "viewer")
	browser = office.browser()
	browser.log_in("anna")
	office.edge.clock.advance(seconds=(IDLE - NOTED_EVERY).total_seconds())
	assert browser.get("/punches").status_code == 200
	office.edge.clock.advance(seconds=(IDLE - NOTED_EVERY).total_seconds())
	assert browser.get("/punches").status_code == 200
	office.edge.clock.advance(seconds=(IDLE + timedelta(seconds=1)).total_seconds())
	assert browser.get("/punches").status_code == 401


@pytest.mark.parametrize("how", ["logged out", "removed", "idle", "key removed"])
def test_a_stream_ends_with_the_right_to_see_it(
	office: Office, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
	monkeypatch.setattr(streams, "LOOK_SECONDS", 0.0)
	monkeypatch.setattr(board, "HEARTBEAT_SECONDS", 0.001)
	office.account("anna", "viewer")
	browser, accounts, now = office.browser(), office.access.accounts, office.edge.clock()
	browser.log_in("anna")
	headers = office.key(Scope.VIEW) if how == "key removed" else {}
	parts = iter(browser.get("/events", headers=headers).response)
	assert b"event: board" in next(parts)
	assert next(parts) == b": quiet\n\n"
	if how == "logged out":
		browser.post("/logout", data={"csrf_token": browser.token("/status")})
	elif how == "removed":
		accounts.remove("anna", by="test", at=now)
	elif how == "idle":
		office.edge.clock.advance(seconds=(IDLE + timedelta(seconds=1)).total_seconds())
	else:
		accounts.remove_key("program 0", by="test", at=now)
	assert list(itertools.islice(parts, 3)) == []


def test_no_login_lasts_for_ever(office: Office) -> None:
	office.account("anna", "viewer")
	browser = office.browser()
	browser.log_in("anna")
	for _hour in range(int(LONGEST / timedelta(hours=1))):
		office.edge.clock.advance(hours=1)
		assert browser.get("/punches").status_code == 200
	office.edge.clock.advance(minutes=1)
	assert browser.get("/punches").status_code == 401


@pytest.mark.parametrize("change", ["password", "removal"])
def test_a_new_password_and_a_removal_end_every_login(office: Office, change: str) -> None:
	office.account("anna", "viewer")
	browsers = [office.browser(), office.browser()]
	for browser in browsers:
		browser.log_in("anna")
	accounts, now = office.access.accounts, office.edge.clock()
	if change == "password":
		accounts.set_password("anna", passwords.hash_password("another good one"), by="test", at=now)
	else:
		accounts.remove("anna", by="test", at=now)
	assert [browser.get("/punches").status_code for browser in browsers] == [401, 401]
	assert office.browser().log_in("anna").status_code == 401


def test_a_password_is_hashed_at_the_cost_that_is_asked_for() -> None:
	"""The other tests hash cheaply: see `tests/edge/conftest`."""
	spec = importlib.util.find_spec(passwords.__name__)
	assert spec is not None
	assert spec.loader is not None
	fresh = importlib.util.module_from_spec(spec)
	spec.loader.exec_module(fresh)
	hashed = fresh.hash_password(PASSWORD)
	assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
	assert fresh.verify(PASSWORD, hashed)
	assert not fresh.verify(PASSWORD, None)
	assert fresh._nobody.startswith("$argon2id$v=19$m=19456,t=2,p=1$"), "a wrong name takes as long"
	assert not fresh.is_outdated(hashed)
	assert fresh.is_outdated(passwords.hash_password(PASSWORD))


def test_a_wrong_password_says_no_more_than_a_wrong_name(office: Office) -> None:
	office.account("anna", "viewer")
	refusals = [
		office.browser().log_in(name, password)
		for name, password in (("anna", "wrong"), ("nobody", PASSWORD), ("", ""), ("anna", "x" * 5_000))
	]
	assert {answer.status_code for answer in refusals} == {401}
	assert all("Name or password is wrong." in answer.get_data(as_text=True) for answer in refusals)
	assert ("login_refused", "nobody") in acts(office)


def test_guessing_is_slow(office: Office) -> None:
	office.account("anna", "viewer")
	answers = [office.browser(f"192.0.2.{n}").log_in("anna", "wrong").status_code for n in range(7)]
	assert answers == [401, 401, 401, 401, 401, 429, 429]
	assert office.browser().log_in("ANNA", PASSWORD).status_code == 429
	assert acts(office).count(("login_limited", "anna")) == 2


def test_a_flood_of_guesses_does_not_fill_the_log(office: Office) -> None:
	browser = office.browser()
	answers = [browser.log_in(f"name {n}", "wrong").status_code for n in range(40)]
	assert answers == [401] * 20 + [429] * 20
	assert [act for act, _who in acts(office)] == ["login_refused"] * 20 + ["login_limited"]


def test_a_login_that_somebody_put_into_the_browser_ends_with_the_next(office: Office) -> None:
	office.account("anna", "viewer")
	office.account("eve", "viewer")
	attacker, browser = office.browser(), office.browser()
	attacker.log_in("eve")
	planted = attacker.cookie(LOGIN_COOKIE) or ""
	browser.client.set_cookie(LOGIN_COOKIE, planted)
	form = {"name": "anna", "password": PASSWORD, "csrf_token": browser.token("/login")}
	assert browser.post("/login", data=form).status_code == 303
	assert browser.cookie(LOGIN_COOKIE) != planted
	assert attacker.get("/punches").status_code == 401
	assert browser.get("/punches").status_code == 200


def test_logging_in_rightly_is_not_limited(office: Office) -> None:
	office.account("anna", "viewer")
	for _ in range(3):
		office.browser().log_in("anna", "wrong")
		assert {office.browser().log_in("anna").status_code for _ in range(8)} == {303}


def test_guessing_names_is_slow_too(office: Office) -> None:
	answers = [office.browser().log_in(f"name {n}", "wrong").status_code for n in range(21)]
	assert answers == [401] * 20 + [429]


def test_a_form_of_another_page_logs_nobody_in(office: Office) -> None:
	office.account("anna", "viewer")
	browser = office.browser()
	form = {"name": "anna", "password": PASSWORD, "csrf_token": browser.token("/login")}
	for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
		assert browser.post("/login", data=form, headers=headers).status_code == 400
	strangers = office.browser()
	assert strangers.post("/login", data=form).status_code == 400


def test_what_is_held_opens_nothing(office: Office, edge: Edge) -> None:
	office.account("anna", "viewer")
	browser = office.browser()
	browser.log_in("anna")
	key = office.key(Scope.VIEW)["Authorization"].removeprefix("Bearer ")
	edge.database.empty_log()
	content = Path(edge.path).read_bytes()
	for secret in (PASSWORD, browser.cookie(LOGIN_COOKIE) or "", key):
		assert secret
		assert secret.encode() not in content


# keys


def test_a_key_opens_its_scopes_without_a_token(office: Office) -> None:
	key = office.key(Scope.VIEW)
	assert office.browser().get("/api/v1/punches", headers=key).status_code == 200
	refused = office.browser().get("/api/v1/audit", headers=key)
	assert (refused.status_code, refused.get_json()["error"]) == (403, "forbidden")
	office.access.accounts.remove_key("program 0", by="test", at=office.edge.clock())
	assert office.browser().get("/api/v1/punches", headers=key).status_code == 401


@pytest.mark.parametrize(
	"value",
	[
		"Bearer abk_wrong",
		"Bearer",
		"Bearer ",
		"Basic YTpi",
		"Token x",
		"abk_x",
		"Bearer \udc80".encode("utf-8", "surrogateescape").decode("latin-1"),
	],
)
def test_a_wrong_key_is_refused_even_where_none_is_needed(office: Office, value: str) -> None:
	answer = office.browser("127.0.0.1").get("/healthz", headers={"Authorization": value})
	assert (answer.status_code, answer.get_json()["error"]) == (401, "wrong_key")


def test_guessing_keys_is_slow(office: Office) -> None:
	browser = office.browser()
	answers = [browser.get("/", headers={"Authorization": f"Bearer x{n}"}).status_code for n in range(22)]
	assert answers == [401] * 20 + [429] * 2
	assert acts(office).count(("key_refused", "")) == 20


def test_a_flood_of_calls_is_refused(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
	from limits import RateLimitItemPerMinute

	monkeypatch.setattr(access, "CALLS", RateLimitItemPerMinute(5))
	key = office.key(Scope.VIEW)
	answers = [office.browser().get("/api/v1/people", headers=key) for _ in range(6)]
	assert [answer.status_code for answer in answers] == [200] * 5 + [429]
	assert answers[-1].headers["Retry-After"]
	assert office.browser().get("/api/v1/people", headers=office.key(Scope.VIEW)).status_code == 200


def test_a_count_that_ends_disturbs_nobody_who_looks_at_it() -> None:
	"""A login clears the count of its account while the thread that forgets old ones looks at it."""
	looks = 0
	for step in itertools.count(1):
		counts = access._Counts()
		counts.acquire_entry("account", 5, 60)
		counts.timer.join()
		clearing = threading.Thread(target=counts.clear, args=("account",))

		def clear(clearing: threading.Thread = clearing) -> None:
			clearing.start()
			clearing.join(0.01)  # as far as it gets

		before = sys.gettrace()
		sys.settrace(at_step(step, clear, each="line"))
		try:
			counts._MemoryStorage__expire_events()  # type: ignore[attr-defined]  # what its timer calls
		finally:
			sys.settrace(before)
		if clearing.ident is None:
			break  # it was through before that step
		clearing.join()
		assert counts.get_moving_window("account", 5, 60)[1] == 0
		looks += 1
	assert looks > 5


# names


@pytest.mark.parametrize(
	"name",
	[
		"key prog",
		"KEY\u3000prog",
		"root (command line)",
		"root\uff08command line)",
		" ",
		"a\u202eb",
		"x" * 61,
	],
)
def test_no_new_account_is_called_as_others_are_written(name: str) -> None:
	with pytest.raises(ValueError, match=r"printable|brackets"):
		check_name(name)


def test_new_accounts_differ_in_more_than_case(office: Office) -> None:
	assert [check_name(name) for name in ("key", "keyholder", " Änna ")] == ["key", "keyholder", "Änna"]
	accounts = office.access.accounts

	def add(name: str) -> bool:
		return accounts.add(name, "viewer", "hash", by="test", at=office.services.now())

	assert [add(name) for name in ("Mona", "mona", "\uff2dona", "Monah")] == [True, False, False, True]
	known = accounts.like("MONA")
	assert known is not None
	assert known.name == "Mona"


def test_the_command_line_makes_no_account_under_the_name_of_another(
	tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
	(tmp_path / "edge.toml").write_text(f'[agent]\ndatabase = "{tmp_path}/edge.db"\n', encoding="utf-8")
	assert run(["edge", "user", "add", "--config", f"{tmp_path}/edge.toml", "key prog"]) == 2
	assert 'neither begins with "key "' in capsys.readouterr().err


# the audit log


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"])
def test_the_audit_log_only_grows(office: Office, edge: Edge, statement: str) -> None:
	office.account("anna", "viewer")
	with pytest.raises(sqlite3.IntegrityError), edge.database.write() as connection:
		connection.execute(statement)
	assert acts(office) == [("account_added", "test")]


def test_where_a_login_came_from_is_written_down(office: Office) -> None:
	office.account("anna", "viewer")
	Browser(office.app, ELSEWHERE).log_in("anna", "wrong")
	last = office.access.audit.latest(1)[0]
	assert (last.act, last.who, last.address) == ("login_refused", "anna", ELSEWHERE)
