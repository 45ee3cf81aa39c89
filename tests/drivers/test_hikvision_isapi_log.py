"""Reading on from a cursor, against a model of a log that can do what terminals are suspected of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.driver import Page, Window
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.drivers.hikvision_isapi.events import RowReader
from attendance_bridge.drivers.hikvision_isapi.log import EventLog, widest_range
from attendance_bridge.drivers.hikvision_isapi.place import read_place
from attendance_bridge.drivers.hikvision_isapi.search import Searcher
from attendance_bridge.drivers.hikvision_isapi.times import read_stamp

ZONE = ZoneInfo("Asia/Dubai")
OFFSET = timedelta(hours=4)
PRESENT = datetime(2026, 6, 1, 12, 0, tzinfo=timezone.utc)
NOON = datetime(2026, 6, 1, 12, 0)


class ModelTerminal:
	"""A log and the search of it: in the order of recording or of time, by number or not, capped or not."""

	def __init__(
		self, *, in_time_order: bool = False, knows_numbers: bool = True, numbered: bool = True
	) -> None:
		self.in_time_order = in_time_order
		self.knows_numbers = knows_numbers
		self.numbered = numbered
		self.insists_on_times = False
		self.ignores_position = False
		self.is_restless = False
		"""Every search is answered for its first half, and with other numbers each time."""
		self.gaps_at: set[int] = set()
		"""Positions at which the first answer is empty."""
		self.announces: int | None = None
		self.last_position = 300_000
		self.rows: list[dict[str, Any]] = []
		self.questions: list[Mapping[str, Any]] = []
		self.number = 0
		self.clock = NOON

	def punch(self, person: str = "7", *, after: timedelta = timedelta(minutes=3)) -> None:
		self.number += 1
		self.clock += after
		row = {"major": 5, "minor": 75, "time": f"{self.clock.isoformat()}+04:00", "employeeNoString": person}
		self.rows.append(row | ({"serialNo": self.number} if self.numbered else {}))

	def wipe(self) -> None:
		self.rows.clear()
		self.number = 0

	def holds(self) -> set[str]:
		return {row["time"] for row in self.rows}

	def ask(self, question: Mapping[str, Any]) -> Mapping[str, Any]:
		asked = question["AcsEventCond"]
		self.questions.append(asked)
		if self.insists_on_times and "startTime" not in asked:
			raise DeviceError(Code.DEVICE_ERROR, status_code=6, sub_status="MessageParametersLack")
		rows = [row for row in self.rows if self._matches(row, asked)]
		if self.in_time_order:
			rows.sort(key=lambda row: row["time"])
		position = 0 if self.ignores_position else asked["searchResultPosition"]
		if position > self.last_position:
			raise DeviceError(Code.DEVICE_ERROR, status_code=6, sub_status="badParameters")
		if position in self.gaps_at:
			self.gaps_at.discard(position)
			return {"AcsEvent": {"responseStatusStrg": "MORE", "totalMatches": len(rows), "InfoList": []}}
		if self.is_restless and position > len(rows) // 2:
			for row in self.rows:
				row["serialNo"] += 1000
			return {"AcsEvent": {"responseStatusStrg": "MORE", "totalMatches": len(rows), "InfoList": []}}
		page = rows[position : position + asked["maxResults"]]
		more = position + len(page) < len(rows)
		total = len(rows) if self.announces is None else self.announces
		status = {"responseStatusStrg": "MORE" if more else "OK", "totalMatches": total}
		return {"AcsEvent": {"searchID": asked["searchID"], "InfoList": page, **status}}

	def _matches(self, row: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
		moment = _instant(row["time"])
		early = "startTime" in asked and moment < _instant(asked["startTime"])
		late = "endTime" in asked and moment > _instant(asked["endTime"])
		below = self.knows_numbers and row.get("serialNo", 0) < asked.get("beginSerialNo", 0)
		return not (early or late or below)


def _instant(text: str) -> datetime:
	stamp = read_stamp(text)
	assert stamp is not None
	return stamp.wall - (stamp.offset if stamp.offset is not None else OFFSET)


class Reader:
	"""What an agent holds of one terminal; each `read` is a new conversation."""

	def __init__(
		self, terminal: ModelTerminal, *, page_size: int = 3, says_numbers: bool | None = None
	) -> None:
		self.terminal = terminal
		self.page_size = page_size
		self.says_numbers = terminal.knows_numbers if says_numbers is None else says_numbers
		self.cursor = START
		self.held: set[str] = set()
		self.max_pages = 2000

	def log(self) -> EventLog:
		searcher = Searcher(
			self.terminal.ask,
			major=5,
			minor=0,
			page_size=self.page_size,
			last_position=self.terminal.last_position,
			reader=RowReader(device_serial="DS-1", zone=ZONE, minor=0),
			widest=widest_range(ZONE, PRESENT),
			max_pages=self.max_pages,
		)
		return EventLog(searcher, zone=ZONE, present=PRESENT, serial_search=self.says_numbers)

	def read(self, pages: int | None = None) -> list[Page]:
		taken: list[Page] = []
		for page in self.log().read_on(read_place(Cursor.from_text(self.cursor.to_text()), "5/0")):
			taken.append(page)
			self.held |= {punch.occurred_at.isoformat() for punch in page.punches}
			self.cursor = page.cursor
			if len(taken) == pages:
				break
		return taken


MODELS = [
	pytest.param({}, id="recording order"),
	pytest.param({"in_time_order": True}, id="time order"),
	pytest.param({"knows_numbers": False}, id="no search by number"),
	pytest.param({"knows_numbers": False, "numbered": False}, id="no numbers at all"),
]


@pytest.mark.parametrize("options", MODELS)
class TestReadingOn:
	def test_everything_once_and_then_what_is_new(self, options: dict[str, bool]) -> None:
		terminal = ModelTerminal(**options)
		reader = Reader(terminal)
		for _ in range(50):
			terminal.punch()
		assert sum(page.read for page in reader.read()) == 50
		assert reader.held == terminal.holds()
		terminal.punch()
		reader.read()
		assert reader.held == terminal.holds()

	def test_broken_off_after_every_page(self, options: dict[str, bool]) -> None:
		terminal = ModelTerminal(**options)
		reader = Reader(terminal)
		for index in range(40):
			terminal.punch(after=timedelta(days=-9000) if index == 25 else timedelta(minutes=3))
		for _ in range(30):
			reader.read(pages=1)
		assert reader.held == terminal.holds()

	def test_an_empty_log_gives_one_page(self, options: dict[str, bool]) -> None:
		reader = Reader(ModelTerminal(**options))
		assert [(page.punches, page.read) for page in reader.read()] == [((), 0)]
		reader.terminal.punch()
		reader.read()
		assert reader.held == reader.terminal.holds()

	def test_times_from_before_and_after_every_reason(self, options: dict[str, bool]) -> None:
		terminal = ModelTerminal(**options)
		for wall in (datetime(1970, 1, 1, 8), datetime(2099, 1, 1), NOON):
			terminal.clock = wall
			terminal.punch(after=timedelta(0))
		reader = Reader(terminal)
		reader.read()
		assert len(reader.held) == 3
		terminal.punch()
		reader.read()
		assert reader.held == terminal.holds()

	def test_more_rows_than_positions(self, options: dict[str, bool]) -> None:
		terminal = ModelTerminal(**options)
		terminal.last_position = 40
		terminal.clock -= timedelta(days=10)
		reader = Reader(terminal)
		for _ in range(300):
			terminal.punch(after=timedelta(minutes=20))
		reader.read()
		assert reader.held == terminal.holds()


class TestAnotherLog:
	def test_a_wiped_log_with_its_numbers_from_one(self) -> None:
		terminal = ModelTerminal()
		reader = Reader(terminal)
		for _ in range(10):
			terminal.punch()
		reader.read()
		old = terminal.holds()
		terminal.wipe()
		for _ in range(15):  # beyond the number at which reading would resume
			terminal.punch()
		reader.read()
		assert reader.held == old | terminal.holds()

	def test_numbers_from_one_beside_the_old_rows(self) -> None:
		terminal = ModelTerminal()
		reader = Reader(terminal)
		for _ in range(10):
			terminal.punch()
		reader.read()
		terminal.number = 0
		for _ in range(4):
			terminal.punch()
		reader.read()
		assert reader.held == terminal.holds()
		for _ in range(4):
			terminal.punch()
		reader.read()
		assert reader.held == terminal.holds()

	def test_oldest_rows_dropped_while_broken_off(self) -> None:
		terminal = ModelTerminal()
		reader = Reader(terminal)
		for _ in range(30):
			terminal.punch()
		wanted = terminal.holds()
		reader.read(pages=4)
		del terminal.rows[:5]
		asked = len(terminal.questions)
		reader.read()
		assert reader.held == wanted
		assert len(terminal.questions) - asked < 10  # it went on, and did not begin anew

	def test_another_zone_on_the_terminal_does_not_read_the_log_again(self) -> None:
		"""Old punches under new wall times would be new punches: everybody would have been there twice."""
		terminal = ModelTerminal()
		reader = Reader(terminal)
		for _ in range(10):
			terminal.punch()
		reader.read()
		held = set(reader.held)
		for row in terminal.rows:
			moment = datetime.fromisoformat(row["time"]).astimezone(timezone(timedelta(hours=8)))
			row["time"] = moment.isoformat()
		reader.read()
		assert reader.held == held

	def test_another_choice_of_events_reads_everything_again(self) -> None:
		terminal = ModelTerminal()
		reader = Reader(terminal)
		terminal.punch()
		reader.read()
		assert read_place(reader.cursor, "5/75") == read_place(START, "5/75")

	def test_a_number_that_is_ignored(self) -> None:
		terminal = ModelTerminal(knows_numbers=False)
		reader = Reader(terminal, says_numbers=True)
		for _ in range(100):
			terminal.punch(after=timedelta(minutes=10))
		reader.read()
		terminal.punch(after=timedelta(minutes=10))
		before = len(terminal.questions)
		reader.read()
		assert reader.held == terminal.holds()
		assert len(terminal.questions) - before < 10


class TestATerminalThatMisbehaves:
	def test_no_times_are_sent_unless_they_are_wanted(self) -> None:
		terminal = ModelTerminal()
		terminal.punch()
		reader = Reader(terminal)
		reader.read()
		assert all("startTime" not in asked for asked in terminal.questions)
		terminal.insists_on_times = True
		terminal.punch()
		reader.read()
		assert reader.held == terminal.holds()

	def test_the_same_page_for_ever_is_named(self) -> None:
		terminal = ModelTerminal()
		for _ in range(9):
			terminal.punch()
		terminal.ignores_position = True
		terminal.announces = 90
		with pytest.raises(DeviceError) as caught:
			Reader(terminal).read()
		assert caught.value.code is Code.GARBAGE

	@pytest.mark.parametrize("announced", [0, 1, 5, 10**6])
	def test_a_wrong_total_loses_nothing_and_ends(self, announced: int) -> None:
		terminal = ModelTerminal()
		for _ in range(9):
			terminal.punch()
		terminal.announces = announced
		reader = Reader(terminal)
		reader.read()
		assert reader.held == terminal.holds()

	def test_an_empty_page_in_the_middle_is_asked_for_again(self) -> None:
		terminal = ModelTerminal()
		for _ in range(30):
			terminal.punch()
		terminal.gaps_at = {6, 15}
		reader = Reader(terminal)
		reader.read()
		assert reader.held == terminal.holds()
		assert len({asked["searchID"] for asked in terminal.questions}) == 1

	def test_a_log_that_never_holds_still_is_named(self) -> None:
		terminal = ModelTerminal()
		for _ in range(30):
			terminal.punch()
		terminal.is_restless = True
		with pytest.raises(DeviceError) as caught:
			Reader(terminal).read()
		assert (caught.value.code, caught.value.retryable) == (Code.GARBAGE, True)

	def test_an_endless_log_is_broken_off_and_goes_on_later(self) -> None:
		terminal = ModelTerminal()
		for _ in range(100):
			terminal.punch()
		reader = Reader(terminal)
		reader.max_pages = 10
		with pytest.raises(DeviceError) as caught:
			reader.read()
		assert (caught.value.code, caught.value.retryable) == (Code.TOO_LARGE, True)
		for _ in range(2):
			with pytest.raises(DeviceError):
				reader.read()
		reader.read()
		assert reader.held == terminal.holds()

	def test_no_order_and_too_many_is_named(self) -> None:
		terminal = ModelTerminal()
		terminal.last_position = 20
		for index in range(60):
			terminal.punch(after=timedelta(minutes=-3))
			terminal.rows[-1]["serialNo"] = 1000 - index
		with pytest.raises(DeviceError) as caught:
			Reader(terminal).read()
		assert (caught.value.code, caught.value.retryable) == (Code.TOO_LARGE, False)

	def test_a_search_id_belongs_to_one_search(self) -> None:
		terminal = ModelTerminal()
		for _ in range(10):
			terminal.punch()
		reader = Reader(terminal)
		reader.read()
		first = {asked["searchID"] for asked in terminal.questions}
		assert len(first) == 1
		assert [asked["searchResultPosition"] for asked in terminal.questions] == [0, 3, 6, 9]
		reader.read()
		assert first.isdisjoint({asked["searchID"] for asked in terminal.questions[4:]})


class TestWindow:
	def _read(
		self, terminal: ModelTerminal, start: datetime, end: datetime, offset: timedelta | None
	) -> set[str]:
		window = Window(start=start.replace(tzinfo=ZONE), end=end.replace(tzinfo=ZONE))
		pages = list(Reader(terminal).log().read_window(window, offset))
		assert pages
		assert all(page.cursor == START for page in pages)
		return {punch.occurred_at.isoformat() for page in pages for punch in page.punches}

	def test_start_included_end_excluded(self) -> None:
		terminal = ModelTerminal()
		for _ in range(200):
			terminal.punch()
		start, end = NOON + timedelta(minutes=30), NOON + timedelta(minutes=60)
		wanted = {f"{(NOON + timedelta(minutes=m)).isoformat()}+04:00" for m in range(30, 60, 3)}
		assert self._read(terminal, start, end, OFFSET) == wanted

	def test_a_terminal_in_the_wrong_zone_is_asked_in_its_own_terms(self) -> None:
		"""Its wall clock is right, its zone is that of the factory it came from."""
		terminal = ModelTerminal()
		for _ in range(200):
			terminal.punch()
			terminal.rows[-1]["time"] = terminal.rows[-1]["time"].replace("+04:00", "+08:00")
		start, end = NOON + timedelta(minutes=30), NOON + timedelta(minutes=60)
		assert len(self._read(terminal, start, end, timedelta(hours=8))) == 10

	def test_more_rows_than_positions(self) -> None:
		terminal = ModelTerminal()
		terminal.last_position = 20
		for _ in range(100):
			terminal.punch()
		assert self._read(terminal, NOON, NOON + timedelta(days=1), OFFSET) == terminal.holds()

	def test_an_empty_window(self) -> None:
		assert self._read(ModelTerminal(), NOON, NOON + timedelta(days=1), OFFSET) == set()


def _steps() -> Iterator[st.SearchStrategy[tuple[str, int]]]:
	yield st.tuples(st.just("punch"), st.integers(1, 8))
	yield st.tuples(st.just("clock"), st.integers(-3000, 3000))
	yield st.tuples(st.just("read"), st.integers(1, 3))
	yield st.tuples(st.just("read all"), st.just(0))
	yield st.tuples(st.just("wipe"), st.just(0))
	yield st.tuples(st.just("drop"), st.integers(1, 5))


@settings(max_examples=300, deadline=None)
@given(
	steps=st.lists(st.one_of(*_steps()), max_size=25),
	in_time_order=st.booleans(),
	page_size=st.integers(1, 4),
)
@example(
	steps=[("punch", 1), ("clock", -1), ("punch", 2), ("clock", -1), ("read", 1), ("punch", 1)],
	in_time_order=True,
	page_size=2,
)
def test_whatever_happens_a_full_reading_leaves_nothing_unread(
	steps: list[tuple[str, int]], in_time_order: bool, page_size: int
) -> None:
	terminal = ModelTerminal(in_time_order=in_time_order)
	reader = Reader(terminal, page_size=page_size)
	for epoch, (step, amount) in enumerate(steps):
		if step == "punch":
			for _ in range(amount):
				terminal.punch()
		elif step == "clock":
			# Never to a second that has been: a row with the number and the time of another is that other.
			terminal.clock += timedelta(hours=amount, seconds=epoch + 1)
		elif step == "wipe":
			terminal.wipe()
			terminal.clock += timedelta(seconds=epoch + 1)
		elif step == "drop" and not in_time_order:
			del terminal.rows[:amount]
		elif step.startswith("read"):
			reader.read(pages=amount or None)
	reader.read()
	assert terminal.holds() <= reader.held
