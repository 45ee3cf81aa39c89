"""The page on which terminals that push are let in."""

from __future__ import annotations

import pytest

from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.edge.receiver.pairing import Pairing
from attendance_bridge.edge.terminals import Terminals
from attendance_bridge.stores.push import PairingState, PushBook
from tests.edge.rig import Edge
from tests.edge.web.rig import Browser, Office, acts


@pytest.fixture
def terminals() -> Terminals:
	return Terminals(())


@pytest.fixture
def office(edge: Edge, terminals: Terminals) -> Office:
	book = PushBook(edge.database)
	book.knock(
		"B-2-",
		at=edge.clock(),
		peer="192.0.2.9",
		dialect="attendance",
		model="<b>K40</b>",
		firmware="",
		mac="",
	)
	return Office(edge, pairing=Pairing(book, terminals, now=edge.clock))


@pytest.fixture
def browser(office: Office) -> Browser:
	office.account("boss", "admin")
	found = office.browser()
	found.log_in("boss")
	return found


def form(browser: Browser, **fields: str) -> dict[str, str]:
	given = {"serial": "B-2-", "name": "Back", "zone": "Asia/Dubai", "role": "in", "user_id_prefix": ""}
	return {**given, **fields, "csrf_token": browser.token("/pairing")}


def test_who_waits_is_shown_without_markup_of_its_own(browser: Browser) -> None:
	page = browser.get("/pairing").get_data(as_text=True)
	assert "B-2-" in page
	assert "&lt;b&gt;K40" in page
	assert "<b>K40" not in page
	assert "style=" not in page


def test_one_is_let_in(browser: Browser, office: Office, terminals: Terminals) -> None:
	answer = browser.post("/pairing/approve", data=form(browser))
	assert answer.status_code == 303
	(device,) = terminals.pushed
	assert (device.settings.serial, device.settings.name, device.settings.role) == (
		"B-2-",
		"Back",
		DeviceRole.IN,
	)
	assert ("terminal_approved", "boss") in acts(office)
	assert "let in" in browser.get("/pairing").get_data(as_text=True)


@pytest.mark.parametrize(
	("fields", "said"),
	[
		({"name": ""}, "Give the terminal a name"),
		({"zone": "Mars/Olympus"}, "no such time zone"),
		({"zone": "../../etc/passwd"}, "no such time zone"),
		({"role": "boss"}, "no such role"),
		({"serial": "a b"}, "no serial number"),
		({"user_id_prefix": "x" * 33}, "at most 32"),
	],
)
def test_what_cannot_be_used_is_said(
	browser: Browser, terminals: Terminals, fields: dict[str, str], said: str
) -> None:
	answer = browser.post("/pairing/approve", data=form(browser, **fields))
	assert answer.status_code == 400
	assert said in answer.get_data(as_text=True)
	assert terminals.pushed == ()


def test_a_name_is_taken_once(browser: Browser, edge: Edge) -> None:
	browser.post("/pairing/approve", data=form(browser))
	PushBook(edge.database).knock(
		"C3", at=edge.clock(), peer="192.0.2.9", dialect="attendance", model="", firmware="", mac=""
	)
	answer = browser.post("/pairing/approve", data=form(browser, serial="C3"))
	assert "Another terminal has this name" in answer.get_data(as_text=True)


def test_one_is_turned_away_and_forgotten(browser: Browser, office: Office, edge: Edge) -> None:
	browser.post("/pairing/refuse", data=form(browser))
	found = PushBook(edge.database).find("B-2-")
	assert found is not None
	assert found.state is PairingState.REFUSED
	browser.post("/pairing/forget", data=form(browser))
	assert PushBook(edge.database).find("B-2-") is None
	assert acts(office)[-2:] == [("terminal_refused", "boss"), ("terminal_forgotten", "boss")]


@pytest.mark.parametrize("role", ["kiosk", "viewer", "enroller", "manager"])
def test_only_an_admin_may(office: Office, terminals: Terminals, role: str) -> None:
	office.account(role, role)
	browser = office.browser()
	browser.log_in(role)
	assert browser.get("/pairing").status_code == 403
	for act in ("approve", "refuse", "forget"):
		assert browser.post(f"/pairing/{act}", data={"serial": "B-2-"}).status_code == 403
	assert terminals.pushed == ()


def test_a_form_of_another_page_is_refused(browser: Browser, terminals: Terminals) -> None:
	fields = {**form(browser), "csrf_token": "0" * 64}
	assert browser.post("/pairing/approve", data=fields).status_code == 400
	assert terminals.pushed == ()


def test_an_agent_without_a_receiver_has_no_such_page(edge: Edge) -> None:
	office = Office(edge)
	office.account("boss", "admin")
	browser = office.browser()
	browser.log_in("boss")
	assert browser.get("/pairing").status_code == 404
	assert "/pairing" not in browser.get("/status").get_data(as_text=True)
