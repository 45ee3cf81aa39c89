from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.upstream import CheckIn, Outcome
from attendance_bridge.upstreams.erpnext_rest import inspection
from attendance_bridge.upstreams.erpnext_rest.sender import ILL_AFTER
from tests.contracts.upstream_contract import (
	Fault,
	RemoteUpstreamContract,
	as_held,
	assert_once_and_in_order,
	attempt,
	check_in,
	day,
	outcomes,
)
from tests.upstreams.erpnext_rig import ErpnextRig, employee_row
from tests.upstreams.little_site import Reply, page, raised


@pytest.fixture
def rig() -> Iterator[ErpnextRig]:
	rig = ErpnextRig()
	yield rig
	rig.stop()


class TestErpnextRest(RemoteUpstreamContract):
	@pytest.fixture
	def rig(self) -> Iterator[ErpnextRig]:
		rig = ErpnextRig()
		yield rig
		rig.stop()


ONE = check_in(ErpnextRig.employees[0])


# what is sent


def test_the_post_is_in_site_time_and_names_the_document(rig: ErpnextRig) -> None:
	list(rig.upstream().deliver([ONE]))
	_method, _path, fields = rig.site.requests[-1]
	assert fields == {
		"employee_field_value": "HR-EMP-00001",
		"employee_fieldname": "name",
		"timestamp": "2026-11-02 07:00:00",  # 8:00 in Karachi (+5) is 7:00 in Dubai (+4)
		"device_id": "DS-K1T-0001",
		"log_type": "IN",
	}


def test_both_passes_of_a_repeated_hour_arrive(rig: ErpnextRig) -> None:
	berlin = ZoneInfo("Europe/Berlin")
	first = datetime(2026, 10, 25, 2, 30, tzinfo=berlin)
	batch = [
		CheckIn(
			punch=Punch(device_serial="A", device_user_id="1", occurred_at=first.replace(fold=fold)),
			employee=rig.employees[0],
			log_type=LogType.IN,
		)
		for fold in (0, 1)
	]
	assert outcomes(batch, rig.upstream().deliver(batch)) == [Outcome.ACCEPTED] * 2
	assert [row["time"] for row in rig.site.check_ins] == ["2026-10-25 04:30:00", "2026-10-25 05:30:00"]


def test_no_cookie_goes_back_and_connections_are_kept(rig: ErpnextRig) -> None:
	upstream = rig.upstream(concurrency=1)
	list(upstream.deliver(day(rig.employees[0], 6)))
	list(upstream.deliver(day(rig.employees[1], 6)))
	assert rig.site.posts == 12
	assert rig.site.connections == 1
	assert not any("Cookie" in headers for headers in rig.site.headers)


def test_an_address_may_have_a_path(rig: ErpnextRig) -> None:
	with pytest.raises(UpstreamError) as caught:
		list(rig.upstream(url=f"{rig.site.url}/erp").deliver([ONE]))
	assert rig.site.requests[0][1].startswith("/erp/api/method/hrms.")
	assert caught.value.code is Code.NOT_FOUND


# lanes


def test_people_are_posted_side_by_side_and_never_more_than_allowed(rig: ErpnextRig) -> None:
	gate = threading.Barrier(3, timeout=10)
	together = threading.Event()

	def meet(method: str, _path: str) -> None:
		if method == "POST" and not together.is_set():
			gate.wait()  # passes only if three posts are on their way at once
			together.set()

	rig.site.on_request = meet
	batch = [one for employee in rig.employees[:3] for one in day(employee)]
	assert outcomes(batch, rig.upstream(concurrency=3).deliver(batch)) == [Outcome.ACCEPTED] * 12
	assert rig.site.most_at_once <= 3
	assert_once_and_in_order(rig.held(), batch)


def test_after_a_conflict_one_lane_remains(rig: ErpnextRig) -> None:
	rig.fail(Fault.CONFLICT, times=1)
	upstream = rig.upstream(concurrency=4)
	attempt(upstream, [check_in(employee) for employee in rig.employees])
	rig.site.most_at_once = 0
	batch = [check_in(employee, 5) for employee in rig.employees]
	assert outcomes(batch, upstream.deliver(batch)) == [Outcome.ACCEPTED] * len(batch)
	assert rig.site.most_at_once == 1


def test_receipts_come_while_later_check_ins_are_still_on_their_way(rig: ErpnextRig) -> None:
	let_go = threading.Event()
	seen = 0

	def hold_the_second(method: str, _path: str) -> None:
		nonlocal seen
		seen += method == "POST"
		if seen == 2:
			let_go.wait(10)

	rig.site.on_request = hold_the_second
	delivery = rig.upstream(concurrency=1).deliver(day(rig.employees[0], 2))
	assert next(delivery).outcome is Outcome.ACCEPTED
	let_go.set()
	assert [receipt.outcome for receipt in delivery] == [Outcome.ACCEPTED]


def test_closing_ends_a_delivery_without_losing_a_receipt(rig: ErpnextRig) -> None:
	upstream = rig.upstream(concurrency=1)
	batch = day(rig.employees[0], 20)

	def close_during_the_third(_method: str, _path: str) -> None:
		if rig.posts() == 3:
			upstream.close()

	rig.site.on_request = close_during_the_third
	assert outcomes(batch, upstream.deliver(batch)) == [Outcome.ACCEPTED] * 3 + [None] * 17
	assert len(rig.held()) == 3


# outcomes


@pytest.mark.parametrize(
	("reply", "outcome", "code"),
	[
		(raised(417, "ValidationError", ""), Outcome.REJECTED, "ValidationError"),
		(raised(417, "CharacterLengthExceededError", ""), Outcome.REJECTED, "CharacterLengthExceededError"),
		(raised(417, "CheckinRadiusExceededError", ""), Outcome.REJECTED, "CheckinRadiusExceededError"),
		(raised(409, "DuplicateEntryError", ""), Outcome.RETRY, "DuplicateEntryError"),
		(raised(417, "DocumentLockedError", ""), Outcome.RETRY, "DocumentLockedError"),
		(raised(500, "TypeError", ""), Outcome.RETRY, "TypeError"),
		(raised(500, "QueryTimeoutError", ""), Outcome.RETRY, "QueryTimeoutError"),
	],
)
def test_answers_about_one_check_in(rig: ErpnextRig, reply: Reply, outcome: Outcome, code: str) -> None:
	rig.site.on_post = lambda _site, _fields: reply
	receipts, error = attempt(rig.upstream(), [ONE])
	(receipt,) = receipts.values()
	assert (receipt.outcome, receipt.code, receipt.in_doubt) == (outcome, code, False)
	assert error is None


@pytest.mark.parametrize(
	("reply", "code", "retryable", "in_doubt"),
	[
		(raised(401, "AuthenticationError", ""), Code.AUTH_FAILED, False, False),
		(page(401), Code.AUTH_FAILED, False, False),
		(raised(400, "InvalidAuthorizationToken", ""), Code.AUTH_FAILED, False, False),
		(raised(403, "PermissionError", ""), Code.FORBIDDEN, False, False),
		(page(403), Code.FORBIDDEN, False, False),
		(page(404), Code.NOT_FOUND, False, False),
		(page(302, Location="https://login.example.com/?token=abc"), Code.NOT_FOUND, False, False),
		(page(303, Location="/"), Code.NOT_FOUND, False, True),
		(page(413), Code.UPSTREAM_ERROR, True, False),
		(page(429), Code.RATE_LIMITED, True, False),
		(raised(503, "InReadOnlyMode", ""), Code.UPSTREAM_ERROR, True, False),
		(page(503), Code.UPSTREAM_ERROR, True, True),
		(page(500), Code.UPSTREAM_ERROR, True, True),
		(page(502), Code.UPSTREAM_ERROR, True, True),
		(page(504), Code.UPSTREAM_ERROR, True, True),
		(Reply(200, {"message": {}}), Code.GARBAGE, True, True),
		(Reply(200, [1]), Code.GARBAGE, True, True),
		(Reply(204, {}), Code.GARBAGE, True, True),
	],
)
def test_answers_about_the_site(
	rig: ErpnextRig, reply: Reply, code: Code, retryable: bool, in_doubt: bool
) -> None:
	rig.site.on_post = lambda _site, _fields: reply
	receipts, error = attempt(rig.upstream(), [ONE, check_in(rig.employees[0], 5)])
	assert error is not None
	assert (error.code, error.retryable) == (code, retryable)
	assert "token=" not in str(error)
	assert [(receipt.outcome, receipt.in_doubt) for receipt in receipts.values()] == (
		[(Outcome.RETRY, True)] if in_doubt else []
	)
	assert rig.posts() == 1


def test_a_duplicate_is_found_by_hrms_rule_and_named(rig: ErpnextRig) -> None:
	list(rig.upstream().deliver([ONE]))
	other_terminal = replace(ONE, punch=replace(ONE.punch, device_serial="ANOTHER"))
	(receipt,) = rig.upstream().deliver([other_terminal])
	assert (receipt.outcome, receipt.reference) == (Outcome.DUPLICATE, rig.site.check_ins[0]["name"])


def test_an_inactive_employee_whose_check_in_is_there_is_a_duplicate(rig: ErpnextRig) -> None:
	upstream = rig.upstream()
	list(upstream.deliver([ONE]))
	rig.site.employees[ONE.employee]["status"] = "Inactive"
	assert outcomes([ONE], upstream.deliver([ONE])) == [Outcome.DUPLICATE]


def test_another_direction_at_another_terminal_is_no_duplicate(rig: ErpnextRig) -> None:
	upstream = rig.upstream()
	list(upstream.deliver([ONE]))
	other = replace(
		ONE, punch=replace(ONE.punch, device_serial="ANOTHER"), log_type=LogType.OUT, in_doubt=True
	)
	assert outcomes([other], upstream.deliver([other])) == [Outcome.ACCEPTED]
	assert len(rig.held()) == 2


def test_in_doubt_and_entered_by_another_tool_is_a_duplicate(rig: ErpnextRig) -> None:
	list(rig.upstream().deliver([ONE]))
	rig.site.check_ins[0]["device_id"] = None
	doubtful = replace(ONE, in_doubt=True)
	assert outcomes([doubtful], rig.upstream().deliver([doubtful])) == [Outcome.DUPLICATE]
	assert rig.posts() == 1


@pytest.mark.parametrize("written", ["2026-11-02 07:00:00.000000", "2026-11-02T07:00:00"])
def test_a_time_on_the_second_is_recognised_however_it_is_written(rig: ErpnextRig, written: str) -> None:
	list(rig.upstream().deliver([ONE]))
	listed = {**rig.site.check_ins[0], "time": written}
	rig.site.on_request = lambda method, _path: Reply(200, {"data": [listed]}) if method == "GET" else None
	doubtful = replace(ONE, in_doubt=True)
	assert outcomes([doubtful], rig.upstream().deliver([doubtful])) == [Outcome.ACCEPTED]
	assert rig.posts() == 1


def test_a_time_within_the_second_is_another_check_in(rig: ErpnextRig) -> None:
	listed = {"name": "X", "employee": ONE.employee, "time": "2026-11-02 07:00:00.5", "log_type": "IN"}
	rig.site.on_request = lambda method, _path: Reply(200, {"data": [listed]}) if method == "GET" else None
	doubtful = replace(ONE, in_doubt=True)
	assert outcomes([doubtful], rig.upstream().deliver([doubtful])) == [Outcome.ACCEPTED]
	assert rig.posts() == 1


def test_many_in_doubt_are_looked_up_in_few_requests_that_gunicorn_takes(rig: ErpnextRig) -> None:
	sent = [
		check_in(employee, 100 * number + minute)
		for number, employee in enumerate(rig.employees)
		for minute in range(50)
	]
	list(rig.upstream().deliver(sent[::2]))
	rig.site.targets.clear()
	posted = rig.posts()
	doubtful = [replace(one, in_doubt=True) for one in sent]
	receipts = list(rig.upstream().deliver(doubtful))
	assert outcomes(doubtful, receipts) == [Outcome.ACCEPTED] * len(sent)
	assert rig.posts() - posted == len(sent) // 2
	questions = [target for target in rig.site.targets if "filters" in target]
	assert 1 < len(questions) < 15
	assert all(len(f"GET {question} HTTP/1.1\r\n") < 4094 for question in questions)


def test_a_lookup_that_may_be_cut_short_is_divided(rig: ErpnextRig, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr("attendance_bridge.upstreams.erpnext_rest.site.MAX_HELD_ROWS", 3)
	sent = day(rig.employees[0], 9)
	list(rig.upstream().deliver(sent))
	doubtful = [replace(one, in_doubt=True) for one in sent]
	assert outcomes(doubtful, rig.upstream().deliver(doubtful)) == [Outcome.ACCEPTED] * 9
	assert rig.posts() == 9


def test_nothing_is_sent_while_the_doubtful_cannot_be_looked_up(rig: ErpnextRig) -> None:
	rig.site.on_request = lambda method, _path: (
		raised(403, "PermissionError", "") if method == "GET" else None
	)
	receipts, error = attempt(rig.upstream(), [replace(ONE, in_doubt=True), check_in(rig.employees[1])])
	assert receipts == {}
	assert error is not None
	assert error.code is Code.FORBIDDEN
	assert rig.posts() == 0


def test_a_refusal_that_cannot_be_looked_up_is_not_held_against_the_person(rig: ErpnextRig) -> None:
	rig.site.on_request = lambda method, _path: (
		raised(404, "DoesNotExistError", "") if method == "GET" else None
	)
	receipts, error = attempt(rig.upstream(), [check_in(rig.employee_refused())])
	assert receipts == {}
	assert error is not None
	assert error.code is Code.NOT_FOUND


def test_one_employee_hidden_from_us_does_not_stop_the_others(rig: ErpnextRig) -> None:
	hidden = "HR-EMP-00777"  # a User Permission: not in any list, and forbidden in a post
	rig.site.on_post = lambda _site, fields: (
		raised(403, "PermissionError", "") if fields["employee_field_value"] == hidden else None
	)
	batch = [check_in(hidden), ONE]
	receipts, error = attempt(rig.upstream(), batch)
	assert error is None
	assert outcomes(batch, receipts.values()) == [Outcome.REJECTED, Outcome.ACCEPTED]
	assert receipts[batch[0].punch.punch_id].code == "PermissionError"


def test_a_site_that_fails_on_everybody_is_left_alone(rig: ErpnextRig) -> None:
	rig.fail(Fault.BREAKS)
	rig.site.employees.update({f"E{number}": employee_row(f"E{number}") for number in range(20)})
	batch = [check_in(f"E{number}") for number in range(20)]
	receipts, error = attempt(rig.upstream(concurrency=1), batch)
	assert error is not None
	assert (error.code, error.retryable) == (Code.UPSTREAM_ERROR, True)
	assert len(receipts) == ILL_AFTER == rig.posts()
	assert not any(receipt.in_doubt for receipt in receipts.values())


@pytest.mark.parametrize(
	("value", "date", "seconds"),
	[
		("7", "", 7),
		("0", "", 0),
		("99999999999999999999", "", 3600),
		("Mon, 02 Nov 2026 08:01:30 GMT", "Mon, 02 Nov 2026 08:00:00 GMT", 90),
		("Mon, 02 Nov 2026 07:00:00 GMT", "Mon, 02 Nov 2026 08:00:00 GMT", 0),
		("soon", "", None),
		("-5", "", None),
		("", "", None),
	],
)
def test_retry_after(rig: ErpnextRig, value: str, date: str, seconds: float | None) -> None:
	reply = page(429, **({"Retry-After": value} if value else {}))
	rig.site.on_post = lambda _site, _fields: reply
	rig.site.date = date
	_receipts, error = attempt(rig.upstream(), [ONE])
	assert error is not None
	assert error.details.get("retry_after") == seconds


def test_requests_are_spaced_as_the_limit_says(rig: ErpnextRig) -> None:
	clock = [100.0]
	waits: list[float] = []

	def sleep(seconds: float) -> None:
		waits.append(seconds)
		clock[0] += seconds

	upstream = rig.upstream_with_clock(timer=lambda: clock[0], sleep=sleep, rate_limit=4.0, concurrency=1)
	list(upstream.deliver(day(rig.employees[0], 5)))
	assert waits == pytest.approx([0.25] * 4)


# people


def test_people_come_whole_over_many_pages(rig: ErpnextRig) -> None:
	names = [f"E{number:03}" for number in range(95)]
	rig.site.employees = {name: employee_row(name) for name in names}
	people = list(rig.upstream(page_length=10).people())
	assert [person.employee for person in people] == names


@pytest.mark.parametrize("name", ["E000", "E0005"])
def test_a_list_that_moves_while_it_is_read_is_no_list(rig: ErpnextRig, name: str) -> None:
	rig.site.employees = {f"E{number:03}": employee_row(f"E{number:03}") for number in range(30)}
	pages = 0

	def move(_method: str, _path: str) -> None:
		nonlocal pages
		pages += 1
		if pages != 3:  # the first asks which fields there are
			return
		if rig.site.employees.pop(name, None) is None:
			rig.site.employees[name] = employee_row(name)

	rig.site.on_request = move
	with pytest.raises(UpstreamError) as caught:
		list(rig.upstream(page_length=10).people())
	assert caught.value.retryable


def test_a_field_that_the_site_lacks_is_left_out(rig: ErpnextRig) -> None:
	rig.site.unreadable_fields = {"default_shift", "branch"}
	people = list(rig.upstream().people())
	assert [person.employee for person in people] == [person.employee for person in rig.people()]
	assert {person.shift for person in people} == {""}
	assert {person.department for person in people} == {"Packing - X"}


@pytest.mark.parametrize(
	("change", "code"),
	[
		({"name": ""}, Code.GARBAGE),
		({"name": 5}, Code.GARBAGE),
		({"name": "\ud800"}, Code.GARBAGE),
		({"attendance_device_id": ["1"]}, Code.GARBAGE),
		({"employee_name": "\udfff"}, Code.GARBAGE),
	],
)
def test_an_employee_that_cannot_be_read_spoils_the_list(
	rig: ErpnextRig, change: dict[str, Any], code: Code
) -> None:
	rig.site.employees[rig.employees[2]].update(change)
	with pytest.raises(UpstreamError) as caught:
		list(rig.upstream().people())
	assert caught.value.code is code


def test_a_list_without_device_ids_is_no_list(rig: ErpnextRig) -> None:
	rig.site.on_request = lambda _method, path: Reply(200, {"data": [{"name": "E1"}]})
	with pytest.raises(UpstreamError) as caught:
		list(rig.upstream().people())
	assert caught.value.code is Code.FORBIDDEN


def test_who_may_not_read_employees_gets_no_empty_list(rig: ErpnextRig) -> None:
	rig.site.on_request = lambda _method, _path: raised(403, "PermissionError", "")
	with pytest.raises(UpstreamError) as caught:
		list(rig.upstream().people())
	assert caught.value.code is Code.FORBIDDEN


# check


def problems(rig: ErpnextRig) -> tuple[str, ...]:
	return rig.upstream().check().problems


def test_check_says_who_and_what(rig: ErpnextRig) -> None:
	info = rig.upstream().check()
	assert (info.user, info.version) == ("bridge@example.com", "frappe 15.1.0, hrms 15.1.0")
	assert rig.posts() == 0


def test_check_with_a_wrong_secret(rig: ErpnextRig) -> None:
	with pytest.raises(UpstreamError) as caught:
		rig.upstream_with_wrong_secret().check()
	assert caught.value.code is Code.AUTH_FAILED


@pytest.mark.parametrize(
	("name", "same"),
	[
		("Asia/Dubai", True),
		("Asia/Muscat", True),
		("Asia/Kolkata", False),
		("Mars/Base", False),
		(None, True),
	],
)
def test_check_compares_time_zones_by_their_hours(rig: ErpnextRig, name: str | None, same: bool) -> None:
	rig.site.methods["frappe.client.get_time_zone"] = Reply(200, {"message": {"time_zone": name}})
	assert problems(rig) == (() if same else (inspection.TIME_ZONE_DIFFERS,))


@pytest.mark.parametrize(
	("method", "reply", "problem"),
	[
		("frappe.client.has_permission", {"has_permission": False}, inspection.CHECK_INS_NOT_ALLOWED),
		("frappe.client.get_single_value", 1, inspection.GEOLOCATION_REQUIRED),
		("frappe.utils.change_log.get_versions", {"frappe": {"version": "15"}}, inspection.HRMS_MISSING),
	],
)
def test_check_finds_what_the_site_says(rig: ErpnextRig, method: str, reply: object, problem: str) -> None:
	rig.site.methods[method] = Reply(200, {"message": reply})
	assert problems(rig) == (problem,)


@pytest.mark.parametrize(
	("doctype", "reply", "problem"),
	[
		("Employee", raised(403, "PermissionError", ""), inspection.EMPLOYEES_UNREADABLE),
		("Employee Checkin", raised(403, "PermissionError", ""), inspection.CHECK_INS_UNREADABLE),
		("Employee Checkin", raised(404, "DoesNotExistError", ""), inspection.HRMS_MISSING),
		("Employee", Reply(200, {"data": [{"name": "E1"}]}), inspection.DEVICE_IDS_UNREADABLE),
	],
)
def test_check_finds_what_cannot_be_read(rig: ErpnextRig, doctype: str, reply: Reply, problem: str) -> None:
	rig.site.on_request = lambda _method, path: reply if path == f"/api/resource/{doctype}" else None
	assert problems(rig) == (problem,)


def test_what_the_site_does_not_tell_is_no_problem(rig: ErpnextRig) -> None:
	for method in list(rig.site.methods):
		if method != "frappe.auth.get_logged_user":
			rig.site.methods[method] = raised(403, "PermissionError", "")
	info = rig.upstream().check()
	assert (info.problems, info.version) == ((), "")


def test_a_moment_in_summer_is_converted_by_its_own_offset(rig: ErpnextRig) -> None:
	upstream = rig.upstream(timezone=ZoneInfo("Europe/Berlin"))
	summer = replace(ONE, punch=replace(ONE.punch, occurred_at=datetime(2026, 7, 1, 6, tzinfo=timezone.utc)))
	winter = replace(
		ONE, punch=replace(ONE.punch, occurred_at=summer.punch.occurred_at + timedelta(days=200))
	)
	list(upstream.deliver([summer, winter]))
	assert [row["time"] for row in rig.site.check_ins] == ["2026-07-01 08:00:00", "2027-01-17 07:00:00"]
	assert as_held(summer).moment == summer.punch.occurred_utc
