"""What the board and the metrics say, from real stores."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import DeviceInfo, Page, UnreadableRow
from attendance_bridge.core.errors import Code, DeviceError, UpstreamError
from attendance_bridge.core.person import Person
from attendance_bridge.core.projection import Rules, State
from attendance_bridge.core.retry import Breaker
from attendance_bridge.core.upstream import Outcome, Receipt
from attendance_bridge.edge import board as board_module
from attendance_bridge.edge.board import Board
from attendance_bridge.edge.metrics import StoreCollector, make_registry
from attendance_bridge.edge.poller import Progress
from attendance_bridge.edge.settings import Device, DeviceSettings
from attendance_bridge.edge.supervisor import WorkerState
from attendance_bridge.edge.uploader import Uploader
from attendance_bridge.stores.ledger import SqliteLedger
from attendance_bridge.upstreams.local_ledger import Config, Upstream
from tests.edge.rig import ZONE, Clock, Edge, hikvision, punch, zkteco

HOSTILE = '<script>alert("1")</script>'
STATIC = Path(board_module.__file__).parent / "web" / "static"


class Desk:
	"""A board over the stores, and what it is told from outside of them."""

	def __init__(self, edge: Edge, *devices: Device) -> None:
		self.progress: dict[str, Progress] = {}
		self.error: UpstreamError | None = None
		self._edge = edge
		for device in devices:
			edge.book.place(
				device.settings.name,
				driver=device.settings.driver,
				host=device.config.host,
				port=device.config.port,
			)
		self._board = Board(
			devices=lambda: devices,
			punches=edge.punches,
			cursors=edge.cursors,
			book=edge.book,
			roster=edge.roster,
			upstream_label="Local ledger",
			upstream_error=lambda: self.error,
			progress=lambda: self.progress,
			now=edge.clock,
		)

	def view(self) -> dict[str, Any]:
		"""As a browser gets it."""
		view: dict[str, Any] = json.loads(json.dumps(self._board.view()))
		return view

	def device(self) -> dict[str, Any]:
		(device,) = self.view()["devices"]
		return dict(device)

	def contact(self, name: str = "Main gate", *, ahead: float = 0.0, serial: str = "T1") -> None:
		"""The terminal answered at the present moment."""
		now = self._edge.clock()
		self._edge.book.contact(
			name,
			DeviceInfo(serial=serial, model="K1T", punches_held=412, punch_capacity=100_000),
			at=now,
			reading=ClockReading(taken_at=now, device_time=now + timedelta(seconds=ahead)),
		)

	def failed(self, error: DeviceError, breaker: Breaker | None = None) -> None:
		self._edge.book.failed("Main gate", error, at=self._edge.clock(), breaker=breaker or Breaker())


@pytest.fixture
def desk(edge: Edge) -> Desk:
	return Desk(edge, hikvision(80))


def decide(edge: Edge, *people: Person) -> None:
	"""Decide what is held, for these people or for three whose ids are 1, 2 and 3."""
	three = [Person(employee=f"E{n}", attendance_device_id=f"{n}", full_name=f"Name {n}") for n in (1, 2, 3)]
	edge.roster.replace(people or three, edge.clock())
	uploader = Uploader(
		punches=edge.punches,
		outbox=edge.outbox,
		roster=edge.roster,
		upstream=Upstream(Config(), ledger=SqliteLedger(edge.database)),
		rules=Rules(),
		policies=dict,
		catching_up=lambda: False,
		people_every=timedelta(minutes=10),
		now=edge.clock,
		pulse=edge.pulse,
	)
	while uploader.decide():
		pass


def send(edge: Edge, outcome: Outcome, code: str = "") -> None:
	"""The upstream answers everything that is due in one way."""
	claimed = edge.outbox.claim(100, edge.clock())
	receipts = [Receipt(punch_id=check_in.punch.punch_id, outcome=outcome, code=code) for check_in in claimed]
	edge.outbox.mark(receipts, edge.clock())


# punches and check-ins


@pytest.mark.parametrize("state", State)
def test_every_state_has_a_word_and_a_tone(edge: Edge, desk: Desk, state: State) -> None:
	edge.hold(punch("1", 0))
	with edge.database.write() as connection:
		connection.execute("UPDATE punch SET state = ?", (state.value,))
	view = desk.view()
	(row,) = view["punches"]
	assert row["state"]
	assert row["tone"] in ("good", "bad", "wait", "quiet")
	assert sum(total["count"] for total in view["totals"][1:]) == (0 if state is State.IGNORED else 1)
	assert view["totals"][0]["count"] == 1


def test_the_journey_of_punches(edge: Edge, desk: Desk) -> None:
	desk.contact()
	edge.hold(punch("1", 0), punch("1", 0.5), punch("99", 3))
	decide(edge)
	send(edge, Outcome.ACCEPTED)
	edge.hold(punch("2", 10))
	decide(edge)
	send(edge, Outcome.REJECTED, "EmployeeInactive")
	rows = desk.view()["punches"]
	assert [(row["device_user_id"], row["state"], row["reason"]) for row in rows] == [
		("2", "rejected", "EmployeeInactive"),
		("99", "unmapped", "nobody has this id"),
		("1", "duplicate", "repeats the punch just before it"),
		("1", "checked in", "first punch of the working day"),
	]
	assert {row["device"] for row in rows} == {"Main gate"}
	assert desk.view()["checkins"] == [
		{
			"punch_id": rows[3]["punch_id"],
			"time": "2026-11-19 08:00:00",
			"person": "Name 1",
			"log_type": "IN",
			"reason": "first punch of the working day",
		}
	]


def test_only_the_latest_rows_are_listed(edge: Edge, desk: Desk) -> None:
	edge.hold(*(punch("1", minutes) for minutes in range(100)))
	view = desk.view()
	assert (len(view["punches"]), view["totals"][0]["count"]) == (board_module.ROWS, 100)


def test_names_follow_the_list_of_people(edge: Edge, clock: Clock, desk: Desk) -> None:
	edge.hold(punch("1", 0))
	decide(edge)
	send(edge, Outcome.ACCEPTED)
	assert desk.view()["checkins"][0]["person"] == "Name 1"
	clock.advance(minutes=10)
	edge.roster.replace([Person(employee="E1", full_name="Another name")], clock())
	assert desk.view()["checkins"][0]["person"] == "Another name"
	clock.advance(minutes=10)
	edge.roster.replace([], clock())
	assert desk.view()["checkins"][0]["person"] == "E1"


def test_unreadable_records_are_counted(edge: Edge, desk: Desk) -> None:
	page = Page(punches=(), cursor=START, unreadable=(UnreadableRow(raw="00", reason="bad_date"),))
	edge.punches.accept(page, "T1", None)
	assert desk.view()["totals"][-1] == {"label": "unreadable", "count": 1, "tone": "bad"}


def test_an_id_that_is_no_text_does_not_break_the_board(edge: Edge, desk: Desk) -> None:
	edge.hold(punch("7\udcff", 0))
	assert desk.view()["punches"][0]["device_user_id"] == "7\udcff"


# terminals


def test_a_terminal_in_order(edge: Edge, clock: Clock, desk: Desk) -> None:
	assert (desk.device()["state"], desk.device()["tone"]) == ("not seen yet", "wait")
	desk.contact()
	edge.cursors.vouch("T1", clock())
	edge.hold(punch("1", 0))
	assert desk.device() == {
		"name": "Main gate",
		"driver": "Hikvision (ISAPI)",
		"serial": "T1",
		"model": "K1T",
		"state": "online",
		"tone": "good",
		"last_seen": clock().isoformat(),
		"clock": "right",
		"problem": "",
		"holds": "1 punch here, 412 of 100000 records there",
		"watermark": "2026-11-20 08:00:00",
	}


def test_a_terminal_that_is_late(clock: Clock, desk: Desk) -> None:
	desk.contact()
	clock.advance(seconds=240)
	assert desk.device()["state"] == "online"
	clock.advance(seconds=1)
	assert (desk.device()["state"], desk.device()["tone"]) == ("late", "wait")


def test_a_terminal_that_is_being_read(desk: Desk) -> None:
	desk.progress["Main gate"] = Progress(30, 412, 1)
	device = desk.device()
	assert (device["state"], device["done"], device["expected"]) == ("reading", 30, 412)


@pytest.mark.parametrize(
	("ahead", "words"),
	[(0, "right"), (1, "right"), (-5, "5 s slow"), (119, "119 s fast"), (3600, "60 min fast")],
)
def test_the_clock_of_a_terminal(desk: Desk, ahead: float, words: str) -> None:
	desk.contact(ahead=ahead)
	assert desk.device()["clock"] == words


@pytest.mark.parametrize(
	("error", "state", "words"),
	[
		(DeviceError(Code.UNREACHABLE), "dark", "Nothing answers at 127.0.0.1:80."),
		(DeviceError(Code.TIMEOUT, path="/ISAPI"), "dark", "did not answer in time"),
		(
			DeviceError(Code.AUTH_FAILED, user="admin", attempts_left=6),
			"refused",
			"127.0.0.1:80 refused the user",
		),
		(
			DeviceError(Code.WRONG_DEVICE, found="T2", expected="T1"),
			"dark",
			"its serial number is T2, expected was T1.",
		),
		(DeviceError(Code.GARBAGE, reason="more rows than that, and in no order"), "dark", "driver fits"),
		# What the terminal calls itself is its own business, and nothing else.
		(DeviceError(Code.WRONG_DEVICE, found="X, self=1, host=evil", expected="T1"), "dark", "127.0.0.1:80"),
		(
			DeviceError(Code.WRONG_DEVICE, found="code=1, retryable=1", expected="T1"),
			"dark",
			"expected was T1",
		),
	],
)
def test_the_problem_of_a_terminal(desk: Desk, error: DeviceError, state: str, words: str) -> None:
	desk.contact()
	desk.failed(error)
	device = desk.device()
	assert (device["state"], device["tone"]) == (state, "bad")
	assert words in device["problem"]


def test_a_locked_terminal_says_for_how_long_still(clock: Clock, desk: Desk) -> None:
	until = clock() + timedelta(seconds=1800)
	desk.failed(DeviceError(Code.LOCKED_OUT, unlock_seconds=1800), Breaker(failures=1, open_until=until))
	assert desk.device()["state"] == "refused"
	assert "for another 1800 seconds" in desk.device()["problem"]
	clock.advance(seconds=1700)
	assert "for another 100 seconds" in desk.device()["problem"]


def test_a_terminal_that_is_switched_off(edge: Edge) -> None:
	settings = DeviceSettings(name="Main gate", driver="hikvision_isapi", timezone=ZONE, enabled=False)
	desk = Desk(edge, Device(settings=settings, config=hikvision(80).config))
	desk.failed(DeviceError(Code.UNREACHABLE))
	device = desk.device()
	assert (device["state"], device["tone"], device["problem"]) == ("switched off", "quiet", "")


def test_each_driver_is_called_by_its_name(edge: Edge) -> None:
	labels = [device["driver"] for device in Desk(edge, hikvision(80), zkteco(4370)).view()["devices"]]
	assert labels == ["Hikvision (ISAPI)", "ZKTeco, TCP or UDP port 4370"]


def test_the_upstream(desk: Desk) -> None:
	assert desk.view()["upstream"] == {"text": "→ Local ledger", "tone": ""}
	desk.error = UpstreamError(Code.AUTH_FAILED, url="https://erp.example.com")
	upstream = desk.view()["upstream"]
	assert upstream["tone"] == "bad"
	assert "https://erp.example.com refused" in upstream["text"]


def test_markup_in_names_stays_text(edge: Edge) -> None:
	settings = DeviceSettings(name=HOSTILE, driver="hikvision_isapi", timezone=ZONE)
	desk = Desk(edge, Device(settings=settings, config=hikvision(80).config))
	desk.contact(HOSTILE)
	edge.hold(punch(HOSTILE, 0))
	decide(edge, Person(employee="E1", attendance_device_id=HOSTILE, full_name=HOSTILE))
	send(edge, Outcome.ACCEPTED)
	view = desk.view()
	assert view["checkins"][0]["person"] == view["punches"][0]["device"] == HOSTILE
	assert view["punches"][0]["device_user_id"] == view["devices"][0]["name"] == HOSTILE


def test_the_script_of_the_page_never_makes_markup_of_text() -> None:
	script = (STATIC / "board.js").read_text(encoding="utf-8")
	assert "textContent" in script
	for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
		assert way not in script


# metrics


def metrics(edge: Edge, *, upstream_up: bool = True) -> dict[tuple[str, tuple[str, ...]], float]:
	"""What Prometheus would read: (name without the prefix, label values) → value."""
	collector = StoreCollector(
		devices=lambda: {"Main gate"},
		punches=edge.punches,
		outbox=edge.outbox,
		cursors=edge.cursors,
		book=edge.book,
		workers=lambda: {"poller": WorkerState.RUNNING, "uploader": WorkerState.RESTARTING},
		upstream_up=lambda: upstream_up,
		now=edge.clock,
	)
	text = generate_latest(make_registry(collector)).decode()
	return {
		(sample.name.removeprefix("attendance_bridge_"), tuple(sample.labels.values())): sample.value
		for family in text_string_to_metric_families(text)
		for sample in family.samples
		if sample.name.startswith("attendance_bridge_")
	}


def test_metrics_of_an_agent_that_has_seen_nothing(edge: Edge) -> None:
	found = metrics(edge, upstream_up=False)
	assert found[("upstream_up", ())] == 0
	assert found[("outbox", ("waiting",))] == 0
	assert found[("worker_running", ("poller",))] == 1
	assert found[("worker_running", ("uploader",))] == 0


def test_metrics_of_an_agent_at_work(edge: Edge, clock: Clock, desk: Desk) -> None:
	desk.contact(ahead=-5)
	edge.cursors.vouch("T1", clock())
	edge.hold(punch("1", 0), punch("2", 1), punch("99", 2))
	decide(edge)
	edge.outbox.claim(1, clock())
	found = metrics(edge)
	assert found[("punches", ("T1", "pending"))] == 2
	assert found[("punches", ("T1", "unmapped"))] == 1
	assert found[("outbox", ("waiting",))] == 2
	assert (found[("outbox", ("due",))], found[("outbox", ("in_doubt",))]) == (1, 1)
	assert found[("device_up", ("Main gate", "T1"))] == 1
	assert found[("device_clock_offset_seconds", ("Main gate", "T1"))] == -5
	assert found[("device_last_seen_timestamp_seconds", ("Main gate", "T1"))] == clock().timestamp()
	assert found[("device_watermark_timestamp_seconds", ("Main gate", "T1"))] == clock().timestamp()
	desk.failed(DeviceError(Code.UNREACHABLE))
	assert metrics(edge)[("device_up", ("Main gate", "T1"))] == 0


def test_a_terminal_that_is_configured_no_more_has_no_metrics(edge: Edge, desk: Desk) -> None:
	desk.contact("Old gate", serial="T0")
	assert not [labels for name, labels in metrics(edge) if "Old gate" in labels]


def test_labels_are_escaped(edge: Edge) -> None:
	edge.hold(punch("1", 0, serial='A"\\\n'))
	assert metrics(edge)[("punches", ('A"\\\n', "received"))] == 1
