"""The pairing list, stamps and commands of terminals that push."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from attendance_bridge.core.direction import DeviceRole
from attendance_bridge.stores import push
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.push import Call, CommandState, PairingState, PushBook, QueueFullError

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
	with Database.open(tmp_path / "push.db") as opened:
		yield opened


@pytest.fixture
def book(database: Database) -> PushBook:
	return PushBook(database)


def knock(book: PushBook, serial: str, at: datetime = NOW, model: str = "") -> PairingState | None:
	return book.knock(serial, at=at, peer="192.0.2.7", dialect="attendance", model=model, firmware="", mac="")


def approve(book: PushBook, serial: str) -> None:
	book.approve(
		serial,
		name="Gate",
		zone="Asia/Dubai",
		role=DeviceRole.IN,
		user_id_prefix="A",
		by="somebody",
		at=NOW,
	)


def test_a_stranger_waits_and_its_calls_are_counted(book: PushBook) -> None:
	assert knock(book, "X1", model="K40") is PairingState.WAITING
	assert knock(book, "X1", NOW + MINUTE) is PairingState.WAITING
	(caller,) = book.all()
	assert (caller.calls, caller.model, caller.last_seen_at) == (2, "K40", NOW + MINUTE)


def test_who_was_let_in_or_turned_away_stays_so(book: PushBook) -> None:
	knock(book, "X1")
	knock(book, "X2")
	approve(book, "X1")
	assert book.refuse("X2", by="somebody", at=NOW)
	assert knock(book, "X2") is PairingState.REFUSED
	found = book.find("X1")
	assert found is not None
	assert (found.state, found.name, found.zone, found.role) == (
		PairingState.APPROVED,
		"Gate",
		"Asia/Dubai",
		DeviceRole.IN,
	)
	assert not book.refuse("X3", by="somebody", at=NOW)


def test_the_list_is_bounded_and_the_unheard_make_room(
	book: PushBook, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(push, "MAX_WAITING", 2)
	knock(book, "X1")
	knock(book, "X2")
	assert knock(book, "X3") is None
	assert knock(book, "X1") is PairingState.WAITING, "who is on it stays on it"
	assert knock(book, "X3", NOW + timedelta(days=8)) is PairingState.WAITING
	assert len(book.all()) == 2


def test_what_was_given_first_counts(book: PushBook) -> None:
	assert book.register("X1", "code", "session", NOW) == ("code", "session")
	assert book.register("X1", "other", "other", NOW) == ("code", "session")


def test_calls_and_stamps_are_written_down(book: PushBook) -> None:
	call = Call(serial="X1", at=NOW, peer="192.0.2.7", dialect="attendance", calls=3, model="K40")
	book.note([call], [("X1", "ATTLOG", "17")])
	later = Call(
		serial="X1",
		at=NOW + MINUTE,
		peer="192.0.2.8",
		dialect="attendance",
		calls=1,
		told_offset=240,
		dropped={"template": 2},
	)
	book.note([later, later], [("X1", "ATTLOG", "18"), ("X1", "OPERLOG", "3")])
	found = book.find("X1")
	assert found is not None
	assert (found.calls, found.model, found.peer, found.told_offset) == (5, "K40", "192.0.2.8", 240)
	assert book.stamps("X1") == {"ATTLOG": "18", "OPERLOG": "3"}
	assert book.dropped("X1") == {"template": 4}
	assert book.forget("X1", by="somebody", at=NOW)
	assert book.stamps("X1") == {}, "who comes back sends everything"


def test_commands_go_out_in_order_and_end(book: PushBook) -> None:
	first = book.queue("X1", "INFO", by="somebody", at=NOW)
	second = book.queue("X1", "REBOOT", by="somebody", at=NOW)
	book.queue("X2", "REBOOT", by="somebody", at=NOW)
	assert book.due("X1", 10, NOW) == [(first, "INFO"), (second, "REBOOT")]
	assert book.due("X1", 10, NOW + MINUTE) == [], "they are under way"
	book.outcomes("X1", [(first, 0, "INFO"), (second, -1002, "REBOOT")], NOW)
	states = {each.command: (each.state, each.code) for each in book.commands("X1")}
	assert states == {first: (CommandState.DONE, 0), second: (CommandState.FAILED, -1002)}


def test_one_that_is_not_answered_is_sent_again_and_given_up(book: PushBook) -> None:
	command = book.queue("X1", "REBOOT", by="somebody", at=NOW)
	at = NOW
	for _attempt in range(push.MAX_ATTEMPTS):
		assert book.due("X1", 10, at) == [(command, "REBOOT")]
		at += push.ANSWER_WITHIN + MINUTE
	assert book.due("X1", 10, at) == []
	(told,) = book.commands("X1")
	assert (told.state, told.said) == (CommandState.FAILED, "no answer")
	book.outcomes("X1", [(command, 0, "REBOOT")], at)
	assert book.commands("X1")[0].state is CommandState.DONE, "an answer that comes late counts"


def test_nobody_answers_for_another_terminal(book: PushBook) -> None:
	command = book.queue("X1", "REBOOT", by="somebody", at=NOW)
	book.due("X1", 10, NOW)
	book.outcomes("X2", [(command, 0, "REBOOT")], NOW)
	assert book.commands("X1")[0].state is CommandState.SENT


def test_the_queue_is_bounded(book: PushBook, monkeypatch: pytest.MonkeyPatch) -> None:
	monkeypatch.setattr(push, "MAX_OPEN", 1)
	book.queue("X1", "REBOOT", by="somebody", at=NOW)
	with pytest.raises(QueueFullError):
		book.queue("X1", "REBOOT", by="somebody", at=NOW)
	book.queue("X2", "REBOOT", by="somebody", at=NOW)
