"""The upstream `frappe_bridge` in front of a simulated site with the app."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.core.projection import State
from attendance_bridge.core.relay import (
	DeviceReport,
	DeviceTrouble,
	FoundTerminal,
	Heartbeat,
	Scan,
	ScanReport,
)
from attendance_bridge.core.upstream import CheckIn, Outcome, Receipt
from attendance_bridge.simulators.frappe_site import FrappeSite, verbs
from attendance_bridge.simulators.frappe_site.agent_api import MAX_PUNCHES
from attendance_bridge.simulators.frappe_site.service import PassOn
from attendance_bridge.simulators.frappe_site.wire import Answer, Request, html_page
from attendance_bridge.upstreams.frappe_bridge import Upstream, config, inspection, punches
from attendance_bridge.upstreams.frappe_bridge.sender import ILL_AFTER, INGEST
from tests.contracts.upstream_contract import (
	MORNING,
	Fault,
	RemoteUpstreamContract,
	assert_once,
	attempt,
	check_in,
	day,
	outcomes,
)
from tests.upstreams.bridge_rig import SERIAL, TERMINAL_PASSWORD, BridgeRig


@pytest.fixture
def rig() -> Iterator[BridgeRig]:
	rig = BridgeRig()
	yield rig
	rig.stop()


class TestFrappeBridge(RemoteUpstreamContract):
	decides = True
	sends_batches = True

	@pytest.fixture
	def rig(self) -> Iterator[BridgeRig]:
		rig = BridgeRig()
		yield rig
		rig.stop()


def with_raw(one: CheckIn, raw: str) -> CheckIn:
	return replace(one, punch=replace(one.punch, raw=raw))


def many(number: int, employee: str) -> list[CheckIn]:
	return [check_in(employee, 2 * minute, None) for minute in range(number)]


# what the site decides


def test_a_receipt_says_what_the_site_made_of_a_punch(rig: BridgeRig) -> None:
	first = check_in(rig.employees[0], 0, LogType.IN)
	echo = check_in(rig.employees[0], 0.5, None)
	wrong_clock = replace(
		check_in(rig.employees[1]),
		reading=ClockReading(
			taken_at=MORNING.astimezone(timezone.utc) + timedelta(hours=1),
			device_time=MORNING + timedelta(hours=3),
		),
	)
	nobody = check_in("HR-EMP-00777")
	refused = check_in(rig.employee_refused())
	batch = [first, echo, wrong_clock, nobody, refused]
	receipts = list(rig.upstream().deliver(batch))
	assert [(each.outcome, each.state, each.code) for each in receipts] == [
		(Outcome.ACCEPTED, State.CHECKED_IN, ""),
		(Outcome.ACCEPTED, State.DUPLICATE, "echo"),
		(Outcome.ACCEPTED, State.QUARANTINED, "clock_off"),
		(Outcome.UNMAPPED, State.UNMAPPED, "no_such_id"),
		(Outcome.REJECTED, State.REJECTED, "inactive_employee"),
	]
	assert (receipts[0].employee, receipts[0].log_type, receipts[0].log_type_reason) == (
		rig.employees[0],
		LogType.IN,
		"device_key",
	)


def test_a_clock_that_was_right_before_is_told(rig: BridgeRig) -> None:
	read_at = MORNING.astimezone(timezone.utc) + timedelta(hours=1)
	wrong = ClockReading(taken_at=read_at, device_time=read_at + timedelta(hours=2))
	early = replace(
		check_in(rig.employees[0]), reading=wrong, clock_good_until=MORNING + timedelta(minutes=1)
	)
	late = replace(check_in(rig.employees[1], 2), reading=wrong, clock_good_until=MORNING)
	receipts = list(rig.upstream().deliver([early, late]))
	assert [each.state for each in receipts] == [State.CHECKED_IN, State.QUARANTINED]


def test_a_site_that_decides_later_has_it_all_the_same(rig: BridgeRig) -> None:
	rig.bridge.decides_later = True
	batch = day(rig.employees[0])
	receipts = list(rig.upstream().deliver(batch))
	assert {(each.outcome, each.state) for each in receipts} == {(Outcome.ACCEPTED, State.DELIVERED)}
	verbs.look_again(rig.bridge)
	assert_once(rig.held(), batch)


def test_an_unmapped_punch_becomes_a_check_in_there_without_being_sent_again(rig: BridgeRig) -> None:
	batch = [check_in("HR-EMP-00777")]
	upstream = rig.upstream()
	assert outcomes(batch, upstream.deliver(batch)) == [Outcome.UNMAPPED]
	verbs.set_device_id(rig.state, rig.employees[5], "777")
	verbs.look_again(rig.bridge)
	assert [entry.employee for entry in rig.held()] == [rig.employees[5]]
	assert outcomes(batch, upstream.deliver(batch)) == [Outcome.DUPLICATE]
	assert len(rig.held()) == 1


def test_a_terminal_that_nobody_assigned_yet_is_waited_for(rig: BridgeRig) -> None:
	terminal = rig.bridge.terminals.pop()
	batch = day(rig.employees[0])
	upstream = rig.upstream()
	receipts = list(upstream.deliver(batch))
	assert {(each.outcome, each.code, each.in_doubt) for each in receipts} == {
		(Outcome.RETRY, "unknown_device", False)
	}
	rig.bridge.terminals.append(terminal)
	assert outcomes(batch, upstream.deliver(batch)) == [Outcome.ACCEPTED] * 4


def test_a_terminal_is_known_by_its_name_before_the_site_knows_its_serial_number(rig: BridgeRig) -> None:
	rig.bridge.terminals[0].serial = ""
	upstream = rig.upstream()
	ours = [replace(check_in(rig.employees[0]), device="Our own name for it")]
	theirs = [replace(check_in(rig.employees[1]), device="Main gate")]
	upstream.devices()
	assert outcomes(ours, upstream.deliver(ours)) == [Outcome.RETRY]
	assert outcomes(theirs, upstream.deliver(theirs)) == [Outcome.ACCEPTED]
	assert outcomes(ours, upstream.deliver(ours)) == [Outcome.ACCEPTED]


# bodies


def test_a_batch_travels_in_few_requests(rig: BridgeRig) -> None:
	batch = many(MAX_PUNCHES, rig.employees[0])
	receipts = list(rig.upstream(punches_at_once=500).deliver(batch))
	assert outcomes(batch, receipts) == [Outcome.ACCEPTED] * len(batch)
	assert rig.posts() == 2


def test_large_records_are_spread_over_requests(rig: BridgeRig) -> None:
	batch = [with_raw(one, "é" * 60_000) for one in many(100, rig.employees[0])]
	receipts = list(rig.upstream(punches_at_once=1000).deliver(batch))
	assert outcomes(batch, receipts) == [Outcome.ACCEPTED] * len(batch)
	assert 2 <= rig.posts() <= 6
	raw = next(iter(rig.bridge.punches.values())).observation.punch.raw
	assert raw == "é" * punches.MAX_RAW


@pytest.mark.parametrize("at_once", [1, 7, 1000])
def test_chunks_are_the_batch(at_once: int) -> None:
	batch = many(50, "HR-EMP-00001")
	chunks = list(punches.chunks(batch, at_once))
	assert [one for chunk in chunks for one in chunk] == batch
	assert max(map(len, chunks)) == min(at_once, 50)


def disturb(site: FrappeSite, poison: bytes, answer: Answer) -> None:
	"""Whatever holds the poison gets this answer."""

	def between(request: Request, pass_on: PassOn) -> Answer | None:
		return answer if request.path == INGEST and poison in request.body else pass_on(request)

	site.between = between


@pytest.mark.parametrize("status", [413, 417])
def test_one_refused_punch_keeps_no_other_waiting(rig: BridgeRig, status: int) -> None:
	batch = many(40, rig.employees[0])
	batch[17] = with_raw(batch[17], "poison")
	refusal = html_page(413) if status == 413 else rig._raised(417, "ValidationError")
	disturb(rig.site, b"poison", refusal)
	receipts = {each.punch_id: each for each in rig.upstream().deliver(batch)}
	expected = [Outcome.ACCEPTED] * 40
	expected[17] = Outcome.REJECTED
	assert outcomes(batch, receipts.values()) == expected
	code = receipts[batch[17].punch.punch_id].code
	assert code == ("too_large" if status == 413 else "ValidationError")


def test_a_punch_on_which_the_site_breaks_waits_and_the_others_go_on(rig: BridgeRig) -> None:
	batch = many(40, rig.employees[0])
	batch[0] = with_raw(batch[0], "poison")
	disturb(rig.site, b"poison", rig._raised(500, "DataError"))
	receipts, error = attempt(rig.upstream(), batch)
	assert error is None
	assert outcomes(batch, receipts.values()) == [Outcome.RETRY, *[Outcome.ACCEPTED] * 39]
	assert receipts[batch[0].punch.punch_id].in_doubt


def test_a_site_that_breaks_on_everything_is_left_alone(rig: BridgeRig) -> None:
	batch = many(200, rig.employees[0])
	disturb(rig.site, b"wall_time", rig._raised(500, "OperationalError"))
	receipts, error = attempt(rig.upstream(), batch)
	assert error is not None
	assert error.retryable
	assert outcomes(batch, receipts.values()).count(Outcome.RETRY) == ILL_AFTER
	assert Outcome.REJECTED not in outcomes(batch, receipts.values())
	assert rig.held() == []


def test_a_site_that_lost_the_app_rejects_nothing(rig: BridgeRig) -> None:
	rig.site.stop()
	rig.site = FrappeSite(rig.state, port=rig.site.port)
	rig.site.start()
	receipts, error = attempt(rig.upstream(), day(rig.employees[0]))
	assert receipts == {}
	assert error is not None
	assert rig.upstream().check().problems == (inspection.APP_MISSING,)


@pytest.mark.parametrize(
	"body",
	[
		b"",
		b"{}",
		b'{"message": null}',
		b'{"message": {"receipts": null}}',
		b'{"message": {"receipts": []}}',
		b'{"message": {"receipts": [1, 2, 3, 4, 5]}}',
		b"[" * 100_000,
	],
)
def test_hostile_answers_leave_everything_in_doubt(rig: BridgeRig, body: bytes) -> None:
	batch = day(rig.employees[0])
	rig.site.between = lambda request, pass_on: Answer(status=200, body=body)
	receipts, error = attempt(rig.upstream(), batch)
	assert {(each.outcome, each.in_doubt) for each in receipts.values()} == {(Outcome.RETRY, True)}
	assert len(receipts) == 4
	assert error is not None
	assert error.code is Code.GARBAGE


@pytest.mark.parametrize(
	("old", "new"),
	[
		(b'"accepted"', b'"swallowed"'),
		(b'"accepted"', b"7"),
		(b'"Checked in"', b'""'),
		(b'"punch_id":"', b'"punch_id":"0'),
		(b'"HR-EMP-00001"', b'"\\ud800"'),
	],
)
def test_a_receipt_that_makes_no_sense_leaves_its_punch_in_doubt(
	rig: BridgeRig, old: bytes, new: bytes
) -> None:
	def between(request: Request, pass_on: PassOn) -> Answer | None:
		answer = pass_on(request)
		assert answer is not None
		assert old in answer.body
		return replace(answer, body=answer.body.replace(old, new, 1))

	rig.site.between = between
	batch = day(rig.employees[0])
	receipts = list(rig.upstream().deliver(batch))
	assert outcomes(batch, receipts) == [Outcome.RETRY, *[Outcome.ACCEPTED] * 3]
	assert receipts[0].in_doubt


def test_what_the_site_will_say_one_day_is_held_there(rig: BridgeRig) -> None:
	def between(request: Request, pass_on: PassOn) -> Answer | None:
		answer = pass_on(request)
		assert answer is not None
		return replace(answer, body=answer.body.replace(b'"Checked in"', b'"Blessed"'))

	rig.site.between = between
	(receipt,) = rig.upstream().deliver(day(rig.employees[0], 1))
	assert (receipt.outcome, receipt.state) == (Outcome.ACCEPTED, State.DELIVERED)


# who may


def test_somebody_who_is_no_agent_is_told_so(rig: BridgeRig) -> None:
	rig.bridge.agent_enabled = False
	assert rig.upstream().check().problems == (inspection.NOT_AN_AGENT,)
	receipts, error = attempt(rig.upstream(), day(rig.employees[0]))
	assert receipts == {}
	assert error is not None
	assert (error.code, error.retryable) == (Code.FORBIDDEN, False)


def test_check_says_who_answers_and_who_we_are(rig: BridgeRig) -> None:
	info = rig.upstream().check()
	assert info.user == rig.state.user
	assert info.version.startswith("attendance_bridge 0.1.0, frappe 15")
	assert rig.bridge.punches == {}


# people


def test_only_changes_are_asked_for_after_the_first_time(rig: BridgeRig) -> None:
	upstream = rig.upstream(page_length=10)
	for number in range(30):
		verbs.hire(rig.state, f"HR-EMP-1{number:04}", device_id=f"1{number:03}")
	assert len(list(upstream.people())) == 37
	asked = rig.bridge.counters["roster"]
	assert asked >= 4
	verbs.set_device_id(rig.state, rig.employees[0], "555")
	verbs.dismiss(rig.bridge, rig.employees[1])
	people = {person.employee: person for person in upstream.people()}
	assert rig.bridge.counters["roster"] == asked + 1
	assert people[rig.employees[0]].attendance_device_id == "555"
	assert rig.employees[1] not in people
	assert len(people) == 36


def test_changes_that_cannot_be_had_change_nothing(rig: BridgeRig) -> None:
	upstream = rig.upstream()
	before = list(upstream.people())
	verbs.set_device_id(rig.state, rig.employees[0], "555")
	rig.fail(Fault.MAINTENANCE, times=1)
	with pytest.raises(UpstreamError):
		list(upstream.people())
	after = list(upstream.people())
	assert len(after) == len(before)
	assert "555" in {person.attendance_device_id for person in after}


# terminals


def beat(*reports: DeviceReport) -> Heartbeat:
	return Heartbeat(waiting=0, oldest_waiting=None, revision="", devices=reports)


def test_terminals_come_with_their_options_and_show_no_secret(rig: BridgeRig) -> None:
	rig.bridge.rules["clock_tolerance_seconds"] = 30
	rig.bridge.terminals[0].live = True
	assignment = rig.upstream().devices()
	(device,) = assignment.devices
	assert (device.name, device.driver, device.serial) == ("Main gate", "hikvision_isapi", SERIAL)
	assert device.options["password"] == TERMINAL_PASSWORD
	assert device.live
	assert assignment.rules.clock_tolerance_seconds == 30
	assert assignment.revision == rig.bridge.revision
	assert TERMINAL_PASSWORD not in repr(assignment)


def test_a_heartbeat_tells_and_learns(rig: BridgeRig) -> None:
	at = datetime(2026, 11, 2, 4, 0, 0, 250_000, tzinfo=timezone.utc)
	verbs.want_read(rig.bridge, "Main gate")
	report = DeviceReport(
		name="Main gate",
		serial=SERIAL,
		last_contact=at,
		watermark=MORNING,
		clock_offset_seconds=0.4,
		trouble=DeviceTrouble(code="timeout", at=at, failures=2, open_until=at),
	)
	orders = rig.upstream().heartbeat(beat(report))
	assert orders.revision == rig.bridge.revision
	assert orders.read_now == ("Main gate",)
	assert abs(orders.now - datetime.now(timezone.utc)) < timedelta(seconds=5)
	(sent,) = rig.bridge.heartbeats[0]["devices"]
	assert sent["watermark"] == "2026-11-02T03:00:00Z"
	assert sent["last_contact"] == "2026-11-02T04:00:00.250000Z"
	assert sent["error"]["code"] == "timeout"
	pulled = replace(report, trouble=None, last_pull=datetime.now(timezone.utc) + timedelta(seconds=1))
	assert rig.upstream().heartbeat(beat(pulled)).read_now == ()


def test_a_scan_is_asked_for_until_its_result_was_told(rig: BridgeRig) -> None:
	verbs.want_scan(rig.bridge, "t1", "192.0.2.0/24")
	upstream = rig.upstream()
	assert upstream.heartbeat(beat()).scan == Scan(token="t1", networks=("192.0.2.0/24",))
	terminal = FoundTerminal(serial=SERIAL, host="192.0.2.7", port=80, driver="hikvision_isapi", model="M")
	found = ScanReport(token="t1", addresses=254, terminals=(terminal,))
	other = replace(found, token="t0")
	assert upstream.heartbeat(replace(beat(), found=other)).scan is not None
	assert upstream.heartbeat(replace(beat(), found=found)).scan is None
	(told,) = rig.bridge.found["t1"]["terminals"]
	assert (told["serial"], told["host"], told["port"]) == (SERIAL, "192.0.2.7", 80)


def test_unreadable_records_are_held_once(rig: BridgeRig) -> None:
	records = [(SERIAL, UnreadableRow(raw=f"{number:02x}", reason="bad_date")) for number in range(3)]
	upstream = rig.upstream()
	upstream.hold_unreadable(records)
	upstream.hold_unreadable(records)
	assert sorted(each["raw"] for each in rig.bridge.unreadable.values()) == ["00", "01", "02"]


def test_the_bound_is_that_of_the_page() -> None:
	assert Upstream.spec.batch == config.MAX_PUNCHES == MAX_PUNCHES
	assert Receipt(punch_id=check_in("HR-EMP-00001").punch.punch_id, outcome=Outcome.RETRY).state is None
