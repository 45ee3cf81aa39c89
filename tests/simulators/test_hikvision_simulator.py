"""The simulated Hikvision terminal, asked by clients that this project did not write.

`hikvisionapi` is a public ISAPI client; `requests` brings its own Digest authentication.
"""

from __future__ import annotations

import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import requests
from defusedxml.ElementTree import fromstring
from hikvisionapi import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from requests.auth import HTTPBasicAuth, HTTPDigestAuth

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators.hikvision import (
	FAULTS,
	HikvisionState,
	HikvisionTerminal,
	events,
	rows,
	verbs,
)
from attendance_bridge.simulators.hikvision.clock import TerminalClock, parse_zone
from attendance_bridge.simulators.hikvision.events import EventLog, Filter
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from attendance_bridge.simulators.workforce import Workforce, build

DUBAI = ZoneInfo("Asia/Dubai")
BERLIN = ZoneInfo("Europe/Berlin")
LAST_DAY = date(2026, 10, 31)
EVENTS = "AccessControl/AcsEvent?format=json"
TOTAL = "AccessControl/AcsEventTotalNum?format=json"
PEOPLE = "AccessControl/UserInfo/Search?format=json"
PASSES = {minor for minors in events.PASS_MINORS.values() for minor in minors}

Row = dict[str, Any]


class Isapi:
	"""Just enough of a client: requests' own Digest authentication, and pages by position."""

	def __init__(self, terminal: HikvisionTerminal, password: str = PASSWORD) -> None:
		self.base = f"http://127.0.0.1:{terminal.port}/ISAPI/"
		self.session = requests.Session()
		self.session.auth = HTTPDigestAuth(USER, password)

	def call(self, method: str, path: str, *, timeout: float = 10, **how: Any) -> requests.Response:
		return self.session.request(method, self.base + path, timeout=timeout, **how)

	def xml(self, path: str) -> dict[str, str]:
		response = self.call("GET", path)
		assert response.status_code == 200
		return _fields(response)

	def page(self, **condition: Any) -> dict[str, Any]:
		asked = {
			"searchID": "1",
			"searchResultPosition": 0,
			"maxResults": 30,
			"major": 0,
			"minor": 0,
		} | condition
		response = self.call("POST", EVENTS, json={"AcsEventCond": asked})
		assert response.status_code == 200, response.text
		answer = response.json()["AcsEvent"]
		assert isinstance(answer, dict)
		return answer

	def pages(self, **condition: Any) -> Iterator[dict[str, Any]]:
		"""Every page until neither MORE nor totalMatches promises another."""
		position = empty = 0
		while empty < 3:
			page = self.page(searchResultPosition=position, **condition)
			yield page
			position += page["numOfMatches"]
			empty = empty + 1 if not page["numOfMatches"] else 0
			if page["responseStatusStrg"] != "MORE":
				return

	def events(self, **condition: Any) -> list[Row]:
		return [row for page in self.pages(**condition) for row in _listed(page.get("InfoList", []))]

	def punches(self, **condition: Any) -> set[tuple[str, str]]:
		return {
			(row["employeeNoString"], row["time"][:19])
			for row in self.events(**condition)
			if row["major"] == 5 and row["minor"] in PASSES
		}

	def total(self, **condition: Any) -> int:
		asked = {"major": 0, "minor": 0} | condition
		response = self.call("POST", TOTAL, json={"AcsEventTotalNumCond": asked})
		return int(response.json()["AcsEventTotalNum"]["totalNum"])


def _listed(rows: Any) -> list[Row]:
	return rows if isinstance(rows, list) else [rows]


def _fields(response: requests.Response) -> dict[str, str]:
	return {element.tag.rpartition("}")[2]: element.text or "" for element in fromstring(response.content)}


def _truth(state: HikvisionState) -> set[tuple[str, str]]:
	return {(employee_no, wall_time.isoformat()) for employee_no, wall_time in state.expected()}


@pytest.fixture(scope="module")
def factory() -> Workforce:
	return build(people=10, days=7, seed=3, last_day=LAST_DAY)


@pytest.fixture
def state(factory: Workforce) -> HikvisionState:
	return HikvisionState.from_workforce(factory, number=1, of=1)


@pytest.fixture
def terminal(state: HikvisionState) -> Iterator[HikvisionTerminal]:
	with HikvisionTerminal(state) as terminal:
		yield terminal


@pytest.fixture
def isapi(terminal: HikvisionTerminal) -> Iterator[Isapi]:
	client = Isapi(terminal)
	with client.session:
		yield client


# A client from outside


def test_a_public_client_reads_the_device_and_its_log(
	state: HikvisionState, terminal: HikvisionTerminal
) -> None:
	client = Client(f"http://127.0.0.1:{terminal.port}", USER, PASSWORD)
	with client.req:
		info = client.System.deviceInfo(method="get")["DeviceInfo"]
		found: set[tuple[str, str]] = set()
		position, status = 0, "MORE"
		while status == "MORE":
			condition = {
				"searchID": "outside",
				"searchResultPosition": position,
				"maxResults": 30,
				"major": 5,
				"minor": 0,
				"startTime": "1970-01-01T00:00:00+00:00",
				"endTime": "2099-12-31T23:59:59+00:00",
			}
			text = client.AccessControl.AcsEvent(
				method="post", params={"format": "json"}, json={"AcsEventCond": condition}, present="text"
			)
			page = json.loads(text)["AcsEvent"]
			status = page["responseStatusStrg"]
			position += page["numOfMatches"]
			found |= {
				(row["employeeNoString"], row["time"][:19])
				for row in page["InfoList"]
				if row["minor"] in PASSES
			}
	assert info["serialNumber"] == state.serial
	assert info["model"] == "DS-K1T671MF"
	assert found == _truth(state)
	assert len(found) == state.punches_held() > 200
	assert state.counters.credentialed_401 == 0, "its attempt with Basic is no guess at the password"


# Who may come in


def test_without_credentials_there_is_only_a_challenge(
	state: HikvisionState, terminal: HikvisionTerminal
) -> None:
	url = f"http://127.0.0.1:{terminal.port}/ISAPI/System/deviceInfo"
	for auth in (None, HTTPBasicAuth(USER, PASSWORD)):
		refused = requests.get(url, auth=auth, timeout=10)
		assert refused.status_code == 401
		assert refused.headers["WWW-Authenticate"].startswith(
			'Digest qop="auth", realm="DS-K1T671MF", nonce="'
		)
		assert state.serial not in refused.text
		assert _fields(refused)["lockStatus"] == "unlock"
	assert state.counters.credentialed_401 == 0
	assert state.counters.requests == {"/ISAPI/System/deviceInfo": 2}
	assert not state.counters.answered


def _guess(terminal: HikvisionTerminal, password: str = "wrong") -> requests.Response:
	# A session would guess twice from its second request on: once with the old nonce, once with the new one.
	client = Isapi(terminal, password)
	with client.session:
		return client.call("GET", "System/status")


def test_one_wrong_password_is_one_attempt(state: HikvisionState, terminal: HikvisionTerminal) -> None:
	refused = _guess(terminal)
	assert refused.status_code == 401
	assert _fields(refused)["retryLoginTime"] == "6"
	assert state.counters.credentialed_401 == state.counters.wrong_passwords == 1


def test_an_unknown_user_is_a_wrong_password(state: HikvisionState, terminal: HikvisionTerminal) -> None:
	url = f"http://127.0.0.1:{terminal.port}/ISAPI/System/deviceInfo"
	assert requests.get(url, auth=HTTPDigestAuth("root", PASSWORD), timeout=10).status_code == 401
	assert state.counters.wrong_passwords == 1


def test_wrong_passwords_lock_the_account_and_time_unlocks_it(
	state: HikvisionState, terminal: HikvisionTerminal, isapi: Isapi
) -> None:
	state.lockout.max_wrong_passwords = 3
	state.lockout.unlock_seconds = 0.4
	left = [_fields(_guess(terminal))["retryLoginTime"] for _ in range(3)]
	assert left == ["2", "1", "0"]
	refused = isapi.call("GET", "Security/userCheck")
	assert refused.status_code == 401, "not even with the right password"
	assert _fields(refused)["lockStatus"] == "lock"
	assert _fields(refused)["unlockTime"] == "1"
	assert state.counters.wrong_passwords == 3
	assert state.counters.credentialed_401 == 4
	_wait_for(lambda: not state.lockout.seconds_left)
	assert isapi.xml("Security/userCheck")["statusValue"] == "200"


def test_a_right_password_wipes_out_the_wrong_ones(terminal: HikvisionTerminal, isapi: Isapi) -> None:
	for _ in range(20):
		assert _fields(_guess(terminal))["retryLoginTime"] == "6"
		assert isapi.call("GET", "System/status").status_code == 200


def test_an_administrator_locks_and_unlocks(state: HikvisionState, isapi: Isapi) -> None:
	verbs.lock_out(state)
	assert _fields(isapi.call("GET", "System/status"))["unlockTime"] == "1800"
	verbs.unlock(state)
	assert isapi.call("GET", "System/status").status_code == 200


def test_a_changed_password_shuts_the_old_one_out(
	state: HikvisionState, terminal: HikvisionTerminal, isapi: Isapi
) -> None:
	assert isapi.call("GET", "System/status").status_code == 200
	verbs.change_password(state, "another")
	assert isapi.call("GET", "System/status").status_code == 401
	renewed = Isapi(terminal, "another")
	with renewed.session:
		assert renewed.call("GET", "System/status").status_code == 200


def _authorization(
	challenge: str, *, nc: str = "00000001", uri: str = "/ISAPI/System/status", **change: str
) -> str:
	"""A Digest computed by hand, as RFC 2617 section 3.2.2 tells."""
	parts = dict(part.split("=", 1) for part in challenge.removeprefix("Digest ").split(", "))
	realm, nonce = parts["realm"].strip('"'), change.get("nonce", parts["nonce"].strip('"'))
	first = hashlib.md5(f"{USER}:{realm}:{PASSWORD}".encode()).hexdigest()
	second = hashlib.md5(f"GET:{uri}".encode()).hexdigest()
	response = hashlib.md5(f"{first}:{nonce}:{nc}:c:auth:{second}".encode()).hexdigest()
	response = change.get("response", response)
	return (
		f'Digest username="{USER}", realm="{realm}", nonce="{nonce}", uri="{uri}", qop=auth, nc={nc}, '
		f'cnonce="c", response="{response}"'
	)


def _get_status(terminal: HikvisionTerminal, authorization: str = "") -> requests.Response:
	headers = {"Authorization": authorization} if authorization else {}
	return requests.get(f"http://127.0.0.1:{terminal.port}/ISAPI/System/status", headers=headers, timeout=10)


def test_a_replayed_request_is_refused_as_stale(state: HikvisionState, terminal: HikvisionTerminal) -> None:
	challenge = _get_status(terminal).headers["WWW-Authenticate"]
	authorization = _authorization(challenge)
	assert _get_status(terminal, authorization).status_code == 200
	replayed = _get_status(terminal, authorization)
	assert replayed.status_code == 401
	assert 'stale="TRUE"' in replayed.headers["WWW-Authenticate"]
	assert _get_status(terminal, _authorization(challenge, nc="00000002")).status_code == 200
	assert state.counters.stale_nonces == 1
	assert state.counters.credentialed_401 == 0


def test_an_old_or_foreign_nonce_is_stale_and_no_wrong_password(
	state: HikvisionState, terminal: HikvisionTerminal
) -> None:
	challenge = _get_status(terminal).headers["WWW-Authenticate"]
	foreign = _get_status(terminal, _authorization(challenge, nonce="0" * 32))
	assert 'stale="TRUE"' in foreign.headers["WWW-Authenticate"]
	state.guard.nonce_seconds = -1
	late = _get_status(terminal, _authorization(challenge))
	assert 'stale="TRUE"' in late.headers["WWW-Authenticate"]
	assert state.counters.wrong_passwords == 0


@pytest.mark.parametrize(
	"authorization",
	["Digest", "Digest nonsense", 'Digest username="admin", nc=1', "Bearer abc", "Digest " + "a" * 5000],
)
def test_what_is_no_digest_is_no_guess(
	state: HikvisionState, terminal: HikvisionTerminal, authorization: str
) -> None:
	assert _get_status(terminal, authorization).status_code == 401
	assert state.counters.credentialed_401 == 0


def test_a_digest_for_another_address_is_no_key(terminal: HikvisionTerminal) -> None:
	challenge = _get_status(terminal).headers["WWW-Authenticate"]
	assert _get_status(terminal, _authorization(challenge, uri="/ISAPI/System/time")).status_code == 401


def test_expired_nonces_do_not_disturb_a_client(state: HikvisionState, isapi: Isapi) -> None:
	assert isapi.call("GET", "System/status").status_code == 200
	verbs.expire_nonces(state)
	assert isapi.call("GET", "System/status").status_code == 200
	assert state.counters.stale_nonces == 1


def test_a_nonce_may_be_kept(state: HikvisionState, isapi: Isapi) -> None:
	for _ in range(5):
		assert isapi.call("GET", "System/status").status_code == 200
	assert state.counters.requests.total() == 6, "one challenge, as HTTPDigestAuth keeps its nonce"


def test_a_one_time_nonce_is_refused_the_second_time_like_a_wrong_password(
	state: HikvisionState, terminal: HikvisionTerminal, isapi: Isapi
) -> None:
	verbs.set_fault(state, "one-time-nonce")
	challenge = _get_status(terminal).headers["WWW-Authenticate"]
	assert _get_status(terminal, _authorization(challenge)).status_code == 200
	again = _get_status(terminal, _authorization(challenge, nc="00000002"))
	assert (again.status_code, _fields(again)["retryLoginTime"]) == (401, "6")
	assert 'stale="FALSE"' in again.headers["WWW-Authenticate"]
	for _ in range(5):
		assert isapi.call("GET", "System/status").status_code == 200
	assert state.counters.credentialed_401 == state.counters.stale_nonces == 1 + 4


# The log


def test_pages_by_position_bring_every_event_once(state: HikvisionState, isapi: Isapi) -> None:
	pages = list(isapi.pages())
	found = [row for page in pages for row in page["InfoList"]]
	assert [row["serialNo"] for row in found] == list(range(1, len(state.log) + 1))
	assert {page["totalMatches"] for page in pages} == {len(found)} == {isapi.total()}
	assert [page["responseStatusStrg"] for page in pages] == ["MORE"] * (len(pages) - 1) + ["OK"]
	assert {page["numOfMatches"] for page in pages[:-1]} == {30}
	assert isapi.punches() == _truth(state)


def test_the_log_holds_more_than_punches(state: HikvisionState, isapi: Isapi) -> None:
	found = isapi.events(major=5)
	punches = [row for row in found if row["minor"] in PASSES]
	noise = [row for row in found if row["minor"] not in PASSES]
	assert len(punches) == state.punches_held()
	assert len(noise) > 3 * len(punches)
	assert {row["minor"] for row in noise} == {9, 21, 22, 23, 24, 25, 26, 76, 104}
	assert not [row for row in noise if "employeeNoString" in row]
	assert all(row["employeeNoString"] and row["attendanceStatus"] for row in punches)
	assert {row["major"] for row in isapi.events()} == {2, 5}


def test_a_row_tells_what_was_done(state: HikvisionState, isapi: Isapi) -> None:
	verbs.enroll(state, "007", name="سلمى Grace", card_no="20394857")
	at = datetime(2026, 11, 1, 8, 0, 5, tzinfo=DUBAI)
	event = verbs.punch(state, "007", VerifyMode.CARD, DeviceKey.CHECK_IN, at=at)
	(row,) = isapi.events(beginSerialNo=event.serial_no, endSerialNo=event.serial_no)
	assert row == {
		"major": 5,
		"minor": 1,
		"time": "2026-11-01T08:00:05+04:00",
		"cardNo": "20394857",
		"cardType": 1,
		"name": "سلمى Grace",
		"cardReaderNo": 1,
		"doorNo": 1,
		"employeeNoString": "007",
		"userType": "normal",
		"serialNo": event.serial_no,
		"currentVerifyMode": "faceOrFpOrCardOrPw",
		"attendanceStatus": "checkIn",
		"statusValue": 1,
	}


@pytest.mark.parametrize("mode", VerifyMode)
def test_every_way_to_identify_is_a_pass(mode: VerifyMode) -> None:
	state = HikvisionState()
	assert verbs.punch(state, "1", mode).is_punch
	assert state.punches_held() == 1


@pytest.mark.parametrize(("key", "status"), rows.ATTENDANCE_STATUS.items())
def test_every_key_has_its_status(key: DeviceKey, status: str) -> None:
	state = HikvisionState()
	assert rows.row(verbs.punch(state, "1", device_key=key), "")["attendanceStatus"] == status


def test_an_empty_log_matches_nothing() -> None:
	with HikvisionTerminal(HikvisionState()) as terminal:
		client = Isapi(terminal)
		with client.session:
			assert client.page(searchID="x") == {
				"searchID": "x",
				"responseStatusStrg": "NO MATCH",
				"numOfMatches": 0,
				"totalMatches": 0,
			}
			assert client.total() == 0


def test_times_are_taken_as_moments_and_bounds_belong_to_the_window(
	state: HikvisionState, isapi: Isapi
) -> None:
	verbs.punch(state, "1", at=datetime(2026, 11, 2, 8, 0, 0, tzinfo=DUBAI))
	verbs.punch(state, "2", at=datetime(2026, 11, 2, 9, 0, 0, tzinfo=DUBAI))
	for start, end in (
		("2026-11-02T08:00:00+04:00", "2026-11-02T09:00:00+04:00"),
		("2026-11-02T04:00:00Z", "2026-11-02T05:00:00+00:00"),
		("2026-11-02T08:00:00", "2026-11-02T09:00:00"),
	):
		found = isapi.punches(startTime=start, endTime=end)
		assert {employee_no for employee_no, _time in found} == {"1", "2"}
	assert isapi.total(startTime="2026-11-02T08:00:01", endTime="2026-11-02T08:59:59") == 0


def test_the_latest_comes_first_when_asked_so(state: HikvisionState, isapi: Isapi) -> None:
	backwards = isapi.events(timeReverseOrder=True)
	assert [row["serialNo"] for row in backwards] == list(range(len(state.log), 0, -1))


def test_one_person_or_one_kind_can_be_asked_for(state: HikvisionState, isapi: Isapi) -> None:
	theirs = isapi.punches(major=5, employeeNoString="007")
	assert theirs == {each for each in _truth(state) if each[0] == "007"} != set()
	assert {row["minor"] for row in isapi.events(major=5, minor=75)} == {75}


def test_a_second_pass_through_an_hour_is_told_by_its_offset() -> None:
	state = HikvisionState(zone=BERLIN)
	for fold in (0, 1):
		verbs.punch(state, "1", at=datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold))
	punches = state.log.punches()
	assert [rows.time_text(event) for event in punches] == [
		"2026-10-25T02:30:00+02:00",
		"2026-10-25T02:30:00+01:00",
	]
	assert state.punches_held() == 2


def test_the_reset_clock_and_the_record_from_2099_are_in_the_order_of_recording(
	state: HikvisionState, isapi: Isapi
) -> None:
	years = [int(row["time"][:4]) for row in isapi.events(major=5)]
	assert {2000, 2026, 2099} == set(years)
	assert isapi.total(major=5, endTime="2009-12-31T23:59:59+00:00") == years.count(2000)
	assert {row["minor"] for row in isapi.events(major=2)} == {1024}


_LOG = EventLog()
for _position in range(120):
	_clock = 1000 + _position if not 40 <= _position < 60 else _position
	_LOG.record(
		5 if _position % 7 else 2,
		(75, 21, 9)[_position % 3],
		_clock // 2,
		0,
		employee_no=("", "1", "2")[_position % 3],
	)


@given(
	major=st.sampled_from([0, 2, 5]),
	minor=st.sampled_from([0, 75, 21, 9, 1]),
	employee_no=st.sampled_from(["", "1", "2", "3"]),
	start=st.none() | st.integers(0, 600),
	end=st.none() | st.integers(0, 600),
	begin=st.none() | st.integers(1, 130),
	last=st.none() | st.integers(1, 130),
)
@settings(max_examples=300, deadline=None)
def test_the_index_finds_what_looking_at_every_event_finds(
	major: int,
	minor: int,
	employee_no: str,
	start: int | None,
	end: int | None,
	begin: int | None,
	last: int | None,
) -> None:
	wanted = Filter(
		major=major,
		minor=minor,
		employee_no=employee_no,
		start=start,
		end=end,
		begin_serial_no=begin,
		end_serial_no=last,
	)
	plain = [
		event
		for event in _LOG
		if major in (0, event.major)
		and minor in (0, event.minor)
		and employee_no in ("", event.employee_no)
		and (start is None or start <= event.second)
		and (end is None or event.second <= end)
		and (begin is None or begin <= event.serial_no)
		and (last is None or event.serial_no <= last)
	]
	found = _LOG.select(wanted)
	assert found.at(range(len(found))) == plain


def test_a_long_log_pages_as_fast_as_a_short_one() -> None:
	log = EventLog()
	for second in range(100_000):
		log.record(5, 75, second, 0, employee_no="1")
	started = time.perf_counter()
	for position in range(0, 90_000, 900):
		found = log.select(Filter(major=5, minor=75, start=position, begin_serial_no=2))
		assert len(found.at(range(30))) == 30
	# A scan of the log alone takes some 10 ms.
	assert (time.perf_counter() - started) / 100 < 0.002


# What is refused


@pytest.mark.parametrize(
	("change", "sub_status", "message"),
	[
		({"searchID": None}, "MessageParametersLack", "searchID"),
		({"major": None}, "MessageParametersLack", "major"),
		({"minor": None}, "MessageParametersLack", "minor"),
		({"maxResults": None}, "MessageParametersLack", "maxResults"),
		({"searchID": "x" * 65}, "badParameters", "searchID"),
		({"searchID": 7}, "badParameters", "searchID"),
		({"searchResultPosition": -1}, "badParameters", "searchResultPosition"),
		({"searchResultPosition": 300_001}, "badParameters", "searchResultPosition"),
		({"searchResultPosition": "0"}, "badParameters", "searchResultPosition"),
		({"maxResults": 0}, "badParameters", "maxResults"),
		({"maxResults": True}, "badParameters", "maxResults"),
		({"startTime": "yesterday"}, "badParameters", "startTime"),
		({"startTime": "2026-01-01T00:00:00" + " " * 20}, "badParameters", "startTime"),
		({"startTime": "2026-01-02T00:00:00", "endTime": "2026-01-01T00:00:00"}, "badParameters", "endTime"),
		({"beginSerialNo": 0}, "badParameters", "beginSerialNo"),
		({"employeeNoString": "1" * 33}, "badParameters", "employeeNoString"),
	],
)
def test_a_wrong_condition_is_refused_by_name(
	isapi: Isapi, change: dict[str, Any], sub_status: str, message: str
) -> None:
	asked = {"searchID": "1", "searchResultPosition": 0, "maxResults": 30, "major": 0, "minor": 0} | change
	asked = {field: value for field, value in asked.items() if value is not None}
	refused = isapi.call("POST", EVENTS, json={"AcsEventCond": asked})
	assert refused.status_code == 400
	assert refused.json() == {
		"requestURL": "/ISAPI/AccessControl/AcsEvent",
		"statusCode": 6,
		"statusString": "Invalid Content",
		"subStatusCode": sub_status,
		"errorCode": 1610612737 if sub_status == "badParameters" else 1610612761,
		"errorMsg": message,
	}


@pytest.mark.parametrize("body", [b"", b"{", b"[" * 60_000, b"\xff\xfe"])
def test_what_is_no_json_is_refused(isapi: Isapi, body: bytes) -> None:
	refused = isapi.call("POST", EVENTS, data=body)
	assert refused.status_code == 400
	assert refused.json()["subStatusCode"] == "badJsonFormat"


def test_the_count_wants_its_own_root(isapi: Isapi) -> None:
	refused = isapi.call("POST", TOTAL, json={"AcsEventCond": {"major": 0, "minor": 0}})
	assert refused.json()["subStatusCode"] == "MessageParametersLack"
	assert refused.json()["errorMsg"] == "AcsEventTotalNumCond"


def test_more_rows_than_the_terminal_gives_are_not_given(state: HikvisionState, isapi: Isapi) -> None:
	assert isapi.page(maxResults=1000)["numOfMatches"] == 30
	state.page_limit = 10
	assert isapi.page()["numOfMatches"] == 10
	assert isapi.punches() == _truth(state)


def test_unknown_calls_are_refused_in_the_language_of_the_call(isapi: Isapi) -> None:
	as_json = isapi.call("GET", "AccessControl/Nothing?format=json")
	assert as_json.status_code == 404
	assert as_json.json()["subStatusCode"] == "notSupport"
	as_xml = isapi.call("GET", "AccessControl/Nothing")
	assert as_xml.status_code == 404
	assert _fields(as_xml)["subStatusCode"] == "notSupport"
	assert _fields(as_xml)["statusCode"] == "4"
	other_method = isapi.call("DELETE", EVENTS)
	assert other_method.status_code == 400
	assert other_method.json()["subStatusCode"] == "methodNotAllowed"


def test_a_search_without_format_json_is_refused_in_xml(isapi: Isapi) -> None:
	refused = isapi.call("POST", "AccessControl/AcsEvent", json={"AcsEventCond": {}})
	assert _fields(refused)["subStatusCode"] == "badXmlFormat"


def test_bodies_are_bounded(terminal: HikvisionTerminal) -> None:
	url = f"http://127.0.0.1:{terminal.port}/ISAPI/AccessControl/AcsEvent"
	for length, status in (("65537", 413), ("9" * 30, 413), ("-1", 411), ("x", 411)):
		with socket.create_connection(("127.0.0.1", terminal.port), timeout=10) as connection:
			connection.sendall(f"POST {url} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode())
			assert connection.recv(64).startswith(f"HTTP/1.1 {status} ".encode())
	chunks = iter([b"{}"])
	assert requests.post(url, data=chunks, timeout=10).status_code == 411


def test_a_lone_surrogate_comes_back_as_something_else(isapi: Isapi) -> None:
	body = (
		b'{"AcsEventCond":{"searchID":"\\ud800","searchResultPosition":0,"maxResults":1,"major":0,"minor":0}}'
	)
	assert isapi.call("POST", EVENTS, data=body).status_code == 200


# The other documents


def test_capabilities_tell_the_bounds(state: HikvisionState, isapi: Isapi) -> None:
	told = isapi.call("GET", "AccessControl/AcsEvent/capabilities?format=json").json()["AcsEvent"]
	assert told["AcsEventCond"]["maxResults"] == {"@min": 1, "@max": 30}
	assert told["AcsEventCond"]["beginSerialNo"] == {"@min": 1, "@max": 3_000_000_000}
	assert told["InfoList"]["maxSize"] == 30
	assert isapi.xml("AccessControl/capabilities")["isSupportAcsEventTotalNum"] == "true"


def test_people_are_listed_in_pages(state: HikvisionState, isapi: Isapi) -> None:
	state.page_limit = 4
	found: list[Row] = []
	status = "MORE"
	while status == "MORE":
		condition = {"searchID": "p", "searchResultPosition": len(found), "maxResults": 30}
		page = isapi.call("POST", PEOPLE, json={"UserInfoSearchCond": condition}).json()["UserInfoSearch"]
		status = page["responseStatusStrg"]
		found += page["UserInfo"]
	assert [row["employeeNo"] for row in found] == list(state.people)
	assert {"7", "007"} <= set(state.people)
	count = isapi.call("GET", "AccessControl/UserInfo/Count?format=json").json()
	assert count["UserInfoCount"]["userNumber"] == len(found)


def test_one_person_is_found_by_number(isapi: Isapi) -> None:
	def search(numbers: Any) -> requests.Response:
		condition = {"searchID": "p", "searchResultPosition": 0, "maxResults": 1, "EmployeeNoList": numbers}
		return isapi.call("POST", PEOPLE, json={"UserInfoSearchCond": condition})

	found = search([{"employeeNo": "007"}]).json()["UserInfoSearch"]
	assert [row["employeeNo"] for row in found["UserInfo"]] == ["007"]
	assert search([{"employeeNo": "nobody"}]).json()["UserInfoSearch"]["responseStatusStrg"] == "NO MATCH"
	for wrong in ([{"employeeNo": ["007"]}], 7, ["007"]):
		assert search(wrong).json()["subStatusCode"] == "badParameters"


# The clock


def test_the_clock_is_read_and_set(state: HikvisionState, isapi: Isapi) -> None:
	told = isapi.xml("System/time")
	assert told["timeZone"] == "CST-4:00:00"
	assert _seconds_off(told["localTime"]) < 5
	_put_time(isapi, localTime="2026-01-02T03:04:05", timeZone="CST-4:00:00")
	assert isapi.xml("System/time")["localTime"].startswith("2026-01-02T03:04:0")
	assert isapi.xml("System/time")["localTime"].endswith("+04:00")
	_put_time(isapi, localTime="2026-01-02T03:04:05+00:00", timeZone="CST-5:30:00")
	assert isapi.xml("System/time")["localTime"].startswith("2026-01-02T08:34:0")
	verbs.jump_clock(state, timedelta(days=1))
	assert isapi.xml("System/time")["localTime"].startswith("2026-01-03T08:34:0")


@pytest.mark.parametrize(
	("document", "sub_status"),
	[
		("", "badXmlFormat"),
		("<Time>", "badXmlFormat"),
		("<Other/>", "badXmlFormat"),
		('<!DOCTYPE a [<!ENTITY b "c">]><Time>&b;</Time>', "badXmlFormat"),
		("<Time/>", "MessageParametersLack"),
		("<Time><timeMode>sundial</timeMode></Time>", "badParameters"),
		("<Time><timeMode>manual</timeMode></Time>", "MessageParametersLack"),
		("<Time><timeMode>manual</timeMode><localTime>noon</localTime></Time>", "badParameters"),
		("<Time><timeMode>NTP</timeMode><timeZone>Mars</timeZone></Time>", "badParameters"),
	],
)
def test_a_wrong_time_is_refused(state: HikvisionState, isapi: Isapi, document: str, sub_status: str) -> None:
	refused = isapi.call("PUT", "System/time", data=document.encode())
	assert refused.status_code == 400
	assert _fields(refused)["subStatusCode"] == sub_status
	assert abs(state.time() - datetime.now(timezone.utc)) < timedelta(seconds=5)


@pytest.mark.parametrize(
	("zone", "text"),
	[
		("Asia/Dubai", "CST-4:00:00"),
		("Asia/Kolkata", "CST-5:30:00"),
		("America/Sao_Paulo", "CST+3:00:00"),
		("Europe/Berlin", "CST-1:00:00DST01:00:00,M3.5.0/02:00:00,M10.5.0/03:00:00"),
		("America/New_York", "CST+5:00:00DST01:00:00,M3.2.0/02:00:00,M11.1.0/02:00:00"),
		("Australia/Sydney", "CST-10:00:00DST01:00:00,M10.1.0/02:00:00,M4.1.0/03:00:00"),
		("UTC", "CST+0:00:00"),
	],
)
def test_a_zone_is_told_the_posix_way(zone: str, text: str) -> None:
	clock = TerminalClock(ZoneInfo(zone), lambda: datetime(2026, 6, 1, tzinfo=timezone.utc))
	assert clock.zone_text() == text


@pytest.mark.parametrize(
	("text", "hours"), [("CST-4:00:00", 4), ("CST+3:00:00", -3), ("UTC0", 0), ("CST-5:30", 5.5)]
)
def test_a_posix_zone_is_understood(text: str, hours: float) -> None:
	offset = datetime(2026, 6, 1, tzinfo=parse_zone(text)).utcoffset()
	assert offset == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "CST", "CST-24:00:00", "CST-1:00:00DST01:00:00,M3.5.0,M10.5.0"])
def test_any_other_zone_is_not(text: str) -> None:
	with pytest.raises(ValueError):  # noqa: PT011  # the text is the message
		parse_zone(text)


def _put_time(isapi: Isapi, **fields: str) -> None:
	inner = "".join(f"<{name}>{value}</{name}>" for name, value in {"timeMode": "manual", **fields}.items())
	document = f'<Time version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">{inner}</Time>'
	done = isapi.call("PUT", "System/time", data=document.encode())
	assert done.status_code == 200
	assert _fields(done)["statusCode"] == "1"


def _seconds_off(text: str) -> float:
	return abs((datetime.fromisoformat(text) - datetime.now(timezone.utc)).total_seconds())


# Faults


def test_every_fault_has_a_help_text_and_unknown_ones_are_refused(state: HikvisionState) -> None:
	assert all(FAULTS.values())
	with pytest.raises(ValueError, match="unknown fault"):
		verbs.set_fault(state, "fire")
	with pytest.raises(ValueError, match="unknown fault"):
		HikvisionState(faults=["fire"])


@pytest.mark.parametrize(
	"fault", ["few-rows", "gap-page", "more-empty", "one-row-object", "replayed-history"]
)
def test_under_faults_of_paging_nothing_is_lost(state: HikvisionState, isapi: Isapi, fault: str) -> None:
	verbs.set_fault(state, fault)
	assert isapi.punches(major=5) == _truth(state)


def test_few_rows(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "few-rows")
	page = isapi.page()
	assert page["numOfMatches"] == len(page["InfoList"]) == 7
	assert page["responseStatusStrg"] == "MORE"


def test_more_empty(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "more-empty")
	total = isapi.total()
	assert isapi.page(searchResultPosition=total - 1)["responseStatusStrg"] == "MORE"
	beyond = isapi.page(searchResultPosition=total)
	assert beyond["responseStatusStrg"] == "MORE"
	assert beyond["numOfMatches"] == 0
	assert beyond["InfoList"] == []


def test_gap_page(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "gap-page")
	sizes = [page["numOfMatches"] for page in isapi.pages(searchID="g")]
	assert sizes.count(0) == 1
	assert 0 < sizes.index(0) < len(sizes) - 1


def test_one_row_object(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "one-row-object")
	assert isapi.page(maxResults=1)["InfoList"]["serialNo"] == 1
	assert len(isapi.page(maxResults=2)["InfoList"]) == 2
	condition = {"searchID": "p", "searchResultPosition": 0, "maxResults": 1}
	people = isapi.call("POST", PEOPLE, json={"UserInfoSearchCond": condition}).json()["UserInfoSearch"]
	assert people["UserInfo"]["employeeNo"] == "7"


@pytest.mark.parametrize("length", [0, 1, 29, 30, 31, 57, 58, 59, 84, 85, 120])
def test_replayed_history(length: int) -> None:
	state = HikvisionState(faults=["replayed-history"])
	for second in range(length):
		state.log.record(5, 75, second, 0, employee_no="1")
	with HikvisionTerminal(state) as terminal:
		client = Isapi(terminal)
		with client.session:
			found = [row["serialNo"] for row in client.events()]
			assert client.total() == length
	assert sorted(set(found)) == list(range(1, length + 1))
	assert (len(found) > length) is (length > 30)


def test_bad_date_row(state: HikvisionState, isapi: Isapi) -> None:
	before = len(state.log)
	verbs.set_fault(state, "bad-date-row")
	found = isapi.events()
	damaged = [row for row in found if row["serialNo"] > before]
	assert [row.get("time", "") for row in damaged][:2] == ["2026-02-30T25:61:00+04:00", ""]
	assert [row["employeeNoString"] for row in damaged][2:] == [4242, "9" * 200]
	assert len(_truth(state)) == state.punches_held()
	assert len(isapi.events()) == before + len(damaged), "damaged once, not again by every search"
	later = verbs.punch(state, "7")
	assert isapi.events(beginSerialNo=later.serial_no)[0]["employeeNoString"] == "7"


def test_half_closed(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "half-closed")
	for _ in range(2):
		for _ in range(state.half_close_every - 1):
			assert isapi.page()["numOfMatches"] == 30
		with pytest.raises(requests.exceptions.ChunkedEncodingError):
			isapi.page()


def test_reboot_by_fault(state: HikvisionState, terminal: HikvisionTerminal, isapi: Isapi) -> None:
	state.reboot_seconds = 0.3
	last = state.log.last_serial_no
	isapi.page()
	verbs.set_fault(state, "reboot")
	with pytest.raises(requests.ConnectionError):
		isapi.page()
	_wait_for(lambda: _is_refused(terminal))
	assert terminal.wait_until_up()
	assert "reboot" not in state.faults
	assert isapi.page()["totalMatches"] == last + 1
	assert verbs.punch(state, "7").serial_no == last + 2, "the numbers go on"
	assert state.counters.wrong_passwords == 0


def test_reboot_by_hand_cuts_idle_connections(terminal: HikvisionTerminal, isapi: Isapi) -> None:
	port = terminal.port
	with socket.create_connection(("127.0.0.1", port), timeout=10) as idle:
		isapi.page()
		verbs.reboot(terminal, 0.05)
		assert idle.recv(1) == b""
		assert terminal.wait_until_up()
	assert terminal.port == port
	assert isapi.page()["numOfMatches"] == 30


def test_lock_out(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "lock-out")
	refused = isapi.call("GET", "System/deviceInfo")
	assert refused.status_code == 401
	assert _fields(refused)["lockStatus"] == "lock"
	assert _fields(refused)["unlockTime"] == "1800"
	assert _fields(refused)["retryLoginTime"] == "0"
	assert state.counters.credentialed_401 == 1
	assert state.counters.wrong_passwords == 0
	verbs.set_fault(state, "lock-out", on=False)
	assert isapi.call("GET", "System/deviceInfo").status_code == 200


def test_garbage(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "garbage")
	bodies = [isapi.call("GET", "System/deviceInfo").content for _ in range(3)]
	assert len(set(bodies)) == 3
	for body in bodies:
		with pytest.raises(ValueError):  # noqa: PT011  # that it is no JSON is all that matters
			json.loads(body)


def test_slow_ends_with_the_terminal(state: HikvisionState) -> None:
	state.faults.add("slow")
	with HikvisionTerminal(state) as terminal:
		client = Isapi(terminal)
		with client.session, pytest.raises(requests.Timeout):
			client.call("GET", "System/deviceInfo", timeout=0.2)
		started = time.monotonic()
	assert time.monotonic() - started < 5, "not as long as it is slow"


def test_no_total(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "no-total")
	refused = isapi.call("POST", TOTAL, json={"AcsEventTotalNumCond": {"major": 0, "minor": 0}})
	assert refused.json()["subStatusCode"] == "notSupport"
	assert "isSupportAcsEventTotalNum" not in isapi.xml("AccessControl/capabilities")


def test_no_serial_window(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "no-serial-window")
	asked = {"searchID": "1", "searchResultPosition": 0, "maxResults": 30, "major": 0, "minor": 0}
	refused = isapi.call("POST", EVENTS, json={"AcsEventCond": asked | {"beginSerialNo": 1}})
	assert refused.status_code == 400
	assert refused.json()["errorMsg"] == "beginSerialNo"
	told = isapi.call("GET", "AccessControl/AcsEvent/capabilities?format=json").json()
	assert "beginSerialNo" not in told["AcsEvent"]["AcsEventCond"]


def test_wrong_clock(state: HikvisionState, isapi: Isapi) -> None:
	verbs.set_fault(state, "wrong-clock")
	told = datetime.fromisoformat(isapi.xml("System/time")["localTime"])
	ahead = told - datetime.now(timezone.utc)
	assert timedelta(minutes=59) < ahead < timedelta(minutes=61)
	now = datetime.now(DUBAI).replace(microsecond=0)
	_put_time(isapi, localTime=now.isoformat())
	assert _seconds_off(isapi.xml("System/time")["localTime"]) < 5


@pytest.mark.parametrize(
	("faults", "namespace"),
	[
		((), "http://www.isapi.org/ver20/XMLSchema"),
		(("old-namespace",), "http://www.hikvision.com/ver20/XMLSchema"),
	],
)
def test_old_namespace(state: HikvisionState, isapi: Isapi, faults: tuple[str, ...], namespace: str) -> None:
	for fault in faults:
		verbs.set_fault(state, fault)
	for path in ("System/deviceInfo", "System/time", "Security/userCheck", "AccessControl/capabilities"):
		assert fromstring(isapi.call("GET", path).content).tag.startswith(f"{{{namespace}}}")


# The service


def test_one_connection_serves_many_requests(terminal: HikvisionTerminal) -> None:
	with socket.create_connection(("127.0.0.1", terminal.port), timeout=10) as connection:
		answers = connection.makefile("rb")
		for _ in range(3):
			connection.sendall(b"GET /ISAPI/System/status HTTP/1.1\r\nHost: x\r\n\r\n")
			assert answers.readline().startswith(b"HTTP/1.1 401 ")
			length = 0
			while (line := answers.readline()) != b"\r\n":
				if line.lower().startswith(b"content-length:"):
					length = int(line.split(b":")[1])
			assert len(answers.read(length)) == length > 0
		answers.close()


def test_many_clients_at_once_get_the_same_log(state: HikvisionState, terminal: HikvisionTerminal) -> None:
	found: list[set[tuple[str, str]]] = []

	def pull() -> None:
		client = Isapi(terminal)
		with client.session:
			found.append(client.punches(major=5))

	threads = [threading.Thread(target=pull) for _ in range(4)]
	for thread in threads:
		thread.start()
	for thread in threads:
		thread.join()
	assert found == [_truth(state)] * 4


def test_it_leaves_no_thread_and_no_listener_behind(state: HikvisionState) -> None:
	before = set(threading.enumerate())
	terminal = HikvisionTerminal(state)
	terminal.start()
	with socket.create_connection(("127.0.0.1", terminal.port), timeout=10) as idle:
		_wait_for(lambda: len(set(threading.enumerate()) - before) == 3)
		terminal.stop()
		assert set(threading.enumerate()) <= before
		assert idle.recv(1) == b""
	assert _is_refused(terminal)
	terminal.stop()


def test_it_can_be_switched_off_while_it_restarts(state: HikvisionState) -> None:
	before = set(threading.enumerate())
	with HikvisionTerminal(state) as terminal:
		terminal.reboot(60)
		_wait_for(lambda: _is_refused(terminal))
	assert set(threading.enumerate()) <= before


def test_the_same_factory_makes_the_same_log(factory: Workforce) -> None:
	first = HikvisionState.from_workforce(factory, number=2, of=2)
	second = HikvisionState.from_workforce(factory, number=2, of=2)
	assert list(first.log) == list(second.log)
	recorded = factory.at_terminal(2, 2)
	assert first.expected() == tuple((each.device_user_id, each.wall_time) for each in recorded)
	assert first.serial != HikvisionState.from_workforce(factory, number=1, of=2).serial


def test_no_password_in_what_is_printed(state: HikvisionState) -> None:
	printed = f"{state!r} {vars(state)!r} {vars(state.guard)!r}"
	assert PASSWORD not in printed


def _is_refused(terminal: HikvisionTerminal) -> bool:
	try:
		socket.create_connection(("127.0.0.1", terminal.port), timeout=10).close()
	except ConnectionRefusedError:
		return True
	return False


def _wait_for(condition: Any) -> None:
	deadline = time.monotonic() + 10
	while not condition():
		assert time.monotonic() < deadline
		time.sleep(0.01)
