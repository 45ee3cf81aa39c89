"""Punches that somebody enters by hand, and withdraws again."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge.core.deliver import drain
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.projection import State
from attendance_bridge.core.retry import Backoff
from attendance_bridge.stores import corrections as corrected
from attendance_bridge.stores import schema
from attendance_bridge.stores.agreements import MAX_WHY, Author
from attendance_bridge.stores.audit import AuditLog
from attendance_bridge.stores.backup import back_up
from attendance_bridge.stores.corrections import CorrectionRefusedError, Corrections, Kind
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.entered import EnteredPunches, EnteredRefusedError, Refusal, by_hand
from attendance_bridge.stores.ledger import SqliteLedger
from attendance_bridge.stores.log import Filters, PunchLog
from attendance_bridge.stores.outbox import SqliteOutbox
from attendance_bridge.stores.punches import PunchStore
from attendance_bridge.upstreams.local_ledger import Config, Upstream
from tests.stores.samples import DAY, NOW, accept, decide, punch, states

BOSS = Author(who="boss", at=NOW, address="192.0.2.7")
IN, OUT = LogType.IN, LogType.OUT
MINUTE = timedelta(minutes=1)


class Book:
	"""A database whose punches become check-ins of people with the names of their ids."""

	def __init__(self, db: Database) -> None:
		self.db = db
		self.punches = PunchStore(db)
		self.ledger = SqliteLedger(db)
		self.entered = EnteredPunches(db)
		self.corrections = Corrections(db, apart=MINUTE)
		self._outbox = SqliteOutbox(
			db,
			settle=timedelta(0),
			backoff=Backoff(base=timedelta(seconds=5), cap=timedelta(minutes=1)),
			max_attempts=8,
		)

	def passes(self, *clocks: str) -> None:
		accept(self.punches, *(punch(clock) for clock in clocks))

	def enter(self, clock: str, log_type: LogType = OUT, why: str = "forgot", employee: str = "7") -> bool:
		made = by_hand("7", punch(clock).occurred_at, log_type)
		return self.entered.enter(employee, made, log_type, why, BOSS, apart=MINUTE)

	def withdraw(self, clock: str, why: str = "a mistake") -> bool:
		made = by_hand("7", punch(clock).occurred_at, OUT)
		return self.entered.withdraw(made.punch_id, why, BOSS)

	def settle(self) -> None:
		decide(self.punches)
		drain(self._outbox, Upstream(Config(), ledger=self.ledger), limit=100, now=lambda: NOW)

	def day(self) -> str:
		"""What counts of one person's day."""
		scans = self.ledger.scans("7", DAY, DAY + timedelta(days=1))
		told = ((scan.at.astimezone(DAY.tzinfo), scan.log_type) for scan in scans)
		return ", ".join(f"{at:%H:%M} {log_type.value if log_type else '?'}" for at, log_type in told)


@pytest.fixture
def book(db: Database) -> Book:
	return Book(db)


def refusal(act: object) -> Refusal:
	assert callable(act)
	with pytest.raises(EnteredRefusedError) as caught:
		act()
	return caught.value.refusal


def test_a_missing_out_is_entered_once_and_withdrawn(book: Book) -> None:
	book.passes("08:00")
	assert book.enter("17:00")
	assert not book.enter("17:00", why="asked twice")
	book.settle()
	assert book.day() == "08:00 IN, 17:00 OUT"
	assert not book.enter("17:00")
	(found,) = book.entered.of("7", DAY, DAY + timedelta(days=1))
	assert (found.log_type, found.entered.why, found.entered.by, found.entered.at) == (
		OUT,
		"forgot",
		"boss",
		NOW,
	)
	assert found.is_counted
	assert found.occurred_at == punch("17:00").occurred_at
	assert book.withdraw("17:00")
	assert not book.withdraw("17:00")
	assert book.day() == "08:00 IN"
	(found,) = book.entered.of("7", DAY, DAY + timedelta(days=1))
	assert found.withdrawn is not None
	assert (found.withdrawn.why, found.is_counted) == ("a mistake", False)
	assert book.ledger.count() == 2  # nothing is ever deleted
	acts = [(act.act, act.who, act.address, act.subject, act.details) for act in AuditLog(book.db).latest()]
	assert acts == [
		("punch_withdrawn", "boss", "192.0.2.7", "7", "2026-11-19 17:00:00 OUT: a mistake"),
		("punch_entered", "boss", "192.0.2.7", "7", "2026-11-19 17:00:00 OUT: forgot"),
	]


def test_what_was_withdrawn_may_be_entered_again_also_the_other_way_round(book: Book) -> None:
	book.passes("08:00")
	book.enter("17:00", IN)
	book.settle()
	book.withdraw("17:00")
	assert refusal(lambda: book.enter("17:00", OUT)) is Refusal.NOT_DECIDED_YET
	book.settle()
	assert book.enter("17:00", OUT, why="it was OUT")
	book.settle()
	assert book.day() == "08:00 IN, 17:00 OUT"
	(found,) = book.entered.of("7", DAY, DAY + timedelta(days=1))
	assert (found.withdrawn, found.log_type, found.entered.why) == (None, OUT, "it was OUT")


def test_who_entered_it_stays_whatever_is_said_of_it_later(book: Book) -> None:
	book.enter("17:00", OUT)
	book.settle()
	here = by_hand("7", punch("17:00").occurred_at, OUT).punch_id

	def told() -> list[str]:
		found = book.entered.find(here)
		assert found is not None
		assert book.entered.of("7", DAY, DAY + timedelta(days=1)) == [found]
		return [
			f"{said.act.value} {said.log_type.value} {said.by} {said.why}{' (over)' * said.is_over}"
			for said in found.history
		]

	book.corrections.correct(here, Kind.SET_IN, "was in", by="mona", at=NOW)
	found = book.entered.find(here)
	assert found is not None
	assert (found.entered.by, found.entered.log_type, found.log_type, found.is_counted) == (
		"boss",
		OUT,
		IN,
		True,
	)
	assert [said.by for said in found.corrected] == ["mona"]
	assert told() == ["entered OUT boss forgot", "corrected IN mona was in"]
	book.corrections.correct(here, Kind.IGNORE, "was off", by="mona", at=NOW)
	book.settle()
	assert book.enter("17:00", OUT, why="no, there")
	book.settle()
	book.corrections.correct(here, Kind.AS_DECIDED, "as it came", by="eve", at=NOW)
	first = ["entered OUT boss forgot (over)", "corrected IN mona was in (over)", "withdrawn IN mona was off"]
	assert told() == [*first, "entered OUT boss no, there", "corrected OUT eve as it came"]
	book.withdraw("17:00")
	rest = ["entered OUT boss no, there (over)", "corrected OUT eve as it came (over)"]
	assert told() == [*first, *rest, "withdrawn OUT boss a mistake"]


def test_one_that_is_withdrawn_before_it_is_decided_never_counts(book: Book) -> None:
	book.enter("17:00")
	book.withdraw("17:00")
	assert refusal(lambda: book.enter("17:00")) is Refusal.NOT_DECIDED_YET
	book.settle()
	assert states(book.punches) == [State.IGNORED]
	assert book.enter("17:00")
	book.settle()
	assert book.day() == "17:00 OUT"


def near(act: Callable[[], object]) -> str:
	"""Which punch is too near."""
	with pytest.raises(EnteredRefusedError) as caught:
		act()
	assert caught.value.refusal is Refusal.TOO_NEAR
	assert caught.value.near is not None
	return f"{caught.value.near:%H:%M:%S}"


def test_just_before_or_after_what_counts_it_is_refused(book: Book) -> None:
	book.passes("08:00", "17:00:30")
	assert near(lambda: book.enter("17:01:00")) == "17:00:30"  # nobody has decided it yet
	book.settle()
	for clock in ("16:59:31", "17:01:29"):  # before it would turn the real one around
		assert near(lambda clock=clock: book.enter(clock)) == "17:00:30"
	assert states(book.punches) == [State.CHECKED_IN, State.CHECKED_IN]
	assert book.enter("16:59:30", IN)
	assert near(lambda: book.enter("16:59:00", IN)) == "16:59:30"  # one of a hand, not decided yet
	book.settle()
	assert near(lambda: book.enter("17:00:10")) == "17:00:30"  # the nearer of the two
	assert book.day() == "08:00 IN, 16:59 IN, 17:00 OUT"


def test_near_what_counts_for_nothing_it_is_taken(book: Book) -> None:
	book.passes("08:00", "08:00:50", "17:00")
	book.settle()
	assert book.enter("08:01:20", OUT)  # 08:00:50 is an echo
	book.corrections.correct(punch("17:00").punch_id, Kind.IGNORE, "a child", by="boss", at=NOW)
	assert book.enter("17:00:20")
	book.withdraw("08:01:20")
	book.settle()
	assert book.day() == "08:00 IN, 17:00 OUT"
	assert book.enter("08:01:30", OUT)
	# To hold again it must be apart, too; while it holds, the same again is no question.
	assert near(lambda: book.enter("08:01:20", OUT)) == "08:01:30"
	assert not book.enter("08:01:30", OUT)


@pytest.mark.parametrize("kind", [Kind.SET_IN, Kind.SET_OUT, Kind.AS_DECIDED])
def test_by_a_correction_it_holds_again_only_where_it_could_be_entered(book: Book, kind: Kind) -> None:
	book.passes("12:00")
	for clock in ("08:00", "17:00", "19:00"):
		book.enter(clock)
	book.settle()

	def correct(clock: str, kind: Kind = kind) -> None:
		here = by_hand("7", punch(clock).occurred_at, OUT).punch_id
		book.corrections.correct(here, kind, "it was", by="boss", at=NOW)

	correct("19:00")  # it holds: nothing to keep apart from
	for clock in ("08:00", "17:00", "19:00"):
		book.withdraw(clock)
	book.settle()
	book.passes("08:00")  # the terminal had it all the time
	book.enter("17:00:59")
	before = len(AuditLog(book.db).latest())
	for _pass in ("as it is held", "as it is decided"):
		for clock, found in (
			("08:00", (corrected.Refusal.SAME_SECOND, None)),
			("17:00", (corrected.Refusal.TOO_NEAR, punch("17:00:59").occurred_at)),
		):
			with pytest.raises(CorrectionRefusedError) as caught:
				correct(clock)
			assert (caught.value.refusal, caught.value.near) == found
		book.settle()
	assert (book.day(), len(AuditLog(book.db).latest())) == ("08:00 IN, 12:00 OUT, 17:00 OUT", before)
	correct("17:00", Kind.IGNORE)  # which it is already
	correct("19:00")
	book.withdraw("17:00:59")
	book.settle()
	correct("17:00")
	book.settle()
	assert book.day().count("17:00") == 1
	# What a terminal has recorded is nobody's to be kept off.
	book.passes("17:00:40")
	book.settle()
	here = punch("17:00:40").punch_id
	for said in (Kind.IGNORE, kind):
		book.corrections.correct(here, said, "a child", by="boss", at=NOW)
		book.settle()
	assert book.corrections.of(here)[0].kind is kind


def test_what_was_taken_for_its_echo_counts_once_it_is_withdrawn(book: Book) -> None:
	book.passes("08:00")
	book.enter("17:00")
	book.settle()
	book.passes("17:00:30")  # the terminal had it all the time, and was dark
	book.settle()
	assert book.day() == "08:00 IN, 17:00 OUT"
	book.withdraw("17:00")
	assert book.day() == "08:00 IN"
	book.settle()
	scans = book.ledger.scans("7", DAY, DAY + timedelta(days=1))
	assert [scan.at for scan in scans] == [punch(clock).occurred_at for clock in ("08:00", "17:00:30")]
	assert [scan.log_type for scan in scans] == [IN, OUT]


def test_the_log_finds_it_by_its_person_withdrawn_or_not(book: Book) -> None:
	book.passes("08:00")
	book.enter("17:00")
	book.settle()
	book.withdraw("17:00")
	book.settle()
	found = PunchLog(book.db).search(Filters(employee="7"))
	assert [(entry.entered_for, entry.held.state) for entry in found] == [
		("7", State.IGNORED),
		("", State.CHECKED_IN),
	]


def test_the_same_second_is_refused(book: Book) -> None:
	book.passes("08:00", "17:00")
	assert refusal(lambda: book.enter("17:00")) is Refusal.SAME_SECOND  # nobody has decided yet whose it is
	book.settle()
	assert refusal(lambda: book.enter("17:00")) is Refusal.SAME_SECOND
	book.enter("18:00")
	assert refusal(lambda: book.enter("18:00", IN)) is Refusal.SAME_SECOND
	assert refusal(lambda: book.enter("18:00", employee="8")) is Refusal.SAME_SECOND
	book.settle()
	assert book.day() == "08:00 IN, 17:00 OUT, 18:00 OUT"


def test_what_follows_an_entered_punch_is_inferred_anew(book: Book) -> None:
	book.passes("13:00", "17:00")  # came in the morning and pressed nothing
	book.settle()
	assert book.day() == "13:00 IN, 17:00 OUT"
	book.enter("08:00", IN)
	book.settle()
	assert book.day() == "08:00 IN, 13:00 OUT, 17:00 IN"
	book.enter("12:00", OUT)
	book.enter("12:30", IN)
	book.settle()
	assert book.day() == "08:00 IN, 12:00 OUT, 12:30 IN, 13:00 OUT, 17:00 IN"
	# The same, whichever part of the day is asked for.
	late = book.ledger.scans("7", punch("16:00").occurred_at, DAY + timedelta(days=1))
	assert [scan.log_type for scan in late] == [IN]
	for clock in ("08:00", "12:00", "12:30"):
		book.withdraw(clock)
	assert book.day() == "13:00 IN, 17:00 OUT"


def test_what_a_key_or_a_person_says_is_not_inferred_anew(book: Book) -> None:
	book.passes("13:00")
	book.settle()
	book.corrections.correct(punch("13:00").punch_id, Kind.SET_IN, "seen", by="boss", at=NOW)
	book.enter("08:00", IN)
	book.settle()
	assert book.day() == "08:00 IN, 13:00 IN"


def test_nobody_belongs_to_the_place_by_a_withdrawn_punch(book: Book) -> None:
	book.enter("17:00")
	book.settle()
	tomorrow = DAY + timedelta(days=1)
	assert (book.ledger.people(DAY, tomorrow), book.ledger.first("7")) == (
		["7"],
		punch("17:00").occurred_at,
	)
	book.withdraw("17:00")
	assert (book.ledger.people(DAY, tomorrow), book.ledger.first("7")) == ([], None)


def test_a_punch_of_a_terminal_is_out_of_reach(book: Book) -> None:
	book.passes("08:00")
	here = punch("08:00").punch_id
	assert refusal(lambda: book.entered.withdraw(here, "x", BOSS)) is Refusal.OF_A_TERMINAL
	assert refusal(lambda: book.withdraw("09:00")) is Refusal.NO_SUCH_PUNCH
	assert book.entered.find(here) is None
	# Nor is one taken for entered because a terminal calls itself so.
	accept(book.punches, punch("10:00", serial="BY-HAND"))
	assert refusal(lambda: book.withdraw("10:00")) is Refusal.OF_A_TERMINAL


@pytest.mark.parametrize("why", ["", "  ", "x" * (MAX_WHY + 1), "a\x1b[2J", "a\nb"])
def test_a_reason_is_needed(book: Book, why: str) -> None:
	with pytest.raises(ValueError, match="one line of"):
		book.enter("17:00", why=why)
	with pytest.raises(ValueError, match="one line of"):
		book.withdraw("17:00", why=why)
	assert states(book.punches) == []


def test_texts_that_are_no_unicode_come_back(book: Book) -> None:
	made = by_hand("7\udcff", punch("17:00").occurred_at, OUT)
	book.entered.enter("7\udcff", made, OUT, "a", BOSS)
	book.settle()
	found = book.entered.find(made.punch_id)
	assert found is not None
	assert (found.employee, found.is_counted) == ("7\udcff", True)


def test_it_goes_with_its_punch_and_never_changes(book: Book) -> None:
	book.enter("17:00")
	with pytest.raises(sqlite3.IntegrityError, match="never changed"), book.db.write() as connection:
		connection.execute("UPDATE entered_punch SET employee = 'x'")
	with book.db.write() as connection:
		connection.execute("DELETE FROM punch")
		assert connection.execute("SELECT count(*) FROM entered_punch").fetchone()[0] == 0


def test_an_upstream_that_decides_later_gets_none_of_it(book: Book) -> None:
	book.enter("17:00")
	book.passes("08:00")
	assert book.punches.take_back_untold() == 0
	assert book.punches.hand_on(10) == 1
	assert states(book.punches) == [State.PENDING, State.IGNORED]


def test_a_backup_carries_it(book: Book, tmp_path: Path) -> None:
	book.enter("17:00")
	book.settle()
	back_up(book.db.path, tmp_path / "copy.db")
	with Database.open(tmp_path / "copy.db") as copy:
		assert Book(copy).day() == "17:00 OUT"
		assert len(EnteredPunches(copy).of("7", DAY, DAY + timedelta(days=1))) == 1


def test_a_database_of_the_version_before_is_brought_up(
	tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	every = schema.migrations()
	monkeypatch.setattr(schema, "migrations", lambda: every[:8])
	path = tmp_path / "bridge.db"
	with Database.open(path) as old:
		store = PunchStore(old)
		accept(store, punch("08:00"))
		decide(store)
		with old.write() as connection:
			row = (punch("08:00").punch_id_bytes, "set_in", "seen", "boss", 0, "decided_anew")
			connection.execute(
				"INSERT INTO correction (punch_id, kind, why, made_by, made_at, effect)"
				" VALUES (?, ?, ?, ?, ?, ?)",
				row,
			)
	monkeypatch.setattr(schema, "migrations", lambda: every)
	with Database.open(path) as new:
		book = Book(new)
		book.enter("17:00")
		book.settle()
		assert book.day() == "08:00 IN, 17:00 OUT"
		assert [said.kind for said in Corrections(new, apart=MINUTE).of(punch("08:00").punch_id)] == [
			Kind.SET_IN
		]
	with closing(sqlite3.connect(path)) as connection:
		assert schema.version_of(connection) == len(every)


def test_moments_of_the_repeated_hour_are_two(db: Database) -> None:
	first = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
	entered = EnteredPunches(db)
	for moment in (first, first.replace(fold=1)):
		assert entered.enter("7", by_hand("7", moment, IN), IN, "x", BOSS)
	found = entered.of("7", first - timedelta(days=1), first + timedelta(days=1))
	assert [each.occurred_at.fold for each in found] == [0, 1]
