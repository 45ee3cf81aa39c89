"""The file format, the tape and what is told of options and errors."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from attendance_bridge.core.config import option
from attendance_bridge.core.recording import (
	HOST,
	Limits,
	Recording,
	Tape,
	failure_of,
	set_secrets,
	told_options,
)
from attendance_bridge.core.redact import Secret

RECORDING = Recording(
	driver="example",
	app_version="1.0",
	source="simulator",
	recorded_at="2026-10-31T06:00:00+00:00",
	time_zone="Asia/Dubai",
	options={"host": HOST},
	secrets=("password",),
	window=("2026-10-30T00:00:00+04:00", "2026-10-31T00:00:00+04:00"),
	limits=Limits(),
	exchanges=({"way": "sent", "text": "ل\udc80"},),
	expected=({"ask": "identify", "answer": {"serial": "S", "model": "M"}},),
)


def test_to_text_and_back() -> None:
	text = RECORDING.to_text()
	assert text.isascii()
	assert Recording.from_text(text) == RECORDING
	assert Recording.from_text(replace(RECORDING, exchanges=(), expected=()).to_text()).device == {}


def test_the_device_is_what_it_said_of_itself() -> None:
	assert RECORDING.device == {"serial": "S", "model": "M"}


@pytest.mark.parametrize(
	"change",
	[
		{"format": 2},
		{"format": None},
		{"driver": 5},
		{"exchanges": {}},
		{"exchanges": ["text"]},
		{"expected": [{"answer": 1}]},
		{"window": ["2026-10-30T00:00:00+04:00"]},
		{"window": [1, 2]},
		{"limits": {"pages": 2}},
		{"limits": {"pages": "many", "log_bytes": 1}},
		{"options": []},
		{"unheard_of": 1},
	],
)
def test_anything_else_is_refused(change: dict[str, Any]) -> None:
	with pytest.raises(ValueError, match="recording"):
		Recording.from_text(json.dumps({**json.loads(RECORDING.to_text()), **change}))


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", "[" * 100_000])
def test_no_recording_at_all(text: str) -> None:
	with pytest.raises(ValueError):  # noqa: PT011  # of json, too
		Recording.from_text(text)


def test_a_tape_shows_nothing_and_has_an_end() -> None:
	tape = Tape()
	tape.note("sent", data=b"hunter2-471100")
	assert "hunter2" not in repr(tape) + repr(tape.notes) + repr(vars(tape))
	assert not tape.is_full
	tape.note("received", data=bytes(Tape.MAX_BYTES))
	tape.note("received", data=b"too much")
	assert (tape.is_full, len(tape.notes)) == (True, 2)


@dataclass(frozen=True, kw_only=True)
class Config:
	host: str = option(help="h")
	port: int = option(80, help="p")
	user: str = option("", help="u")
	password: Secret = option(help="s")
	other: Secret | None = option(None, help="s")
	pages: int = option(3, help="n")


def test_options_without_secrets_addresses_and_accounts() -> None:
	config = Config(host="gate.example.com", port=8123, user="root", password=Secret("hunter2"))
	assert told_options(config) == {"host": HOST, "user": "user", "pages": 3}
	assert set_secrets(config) == ("password",)


def test_only_what_ended_the_interview_is_its_failure() -> None:
	gone = {"ask": "fetch", "error": {"code": "timeout", "retryable": True, "details": {}}}
	unable = {"ask": "count", "error": {"code": "not_supported", "retryable": False, "details": {}}}
	assert failure_of([gone, unable]) is None
	assert failure_of([{"ask": "count", "answer": 1}]) is None
	assert failure_of([]) is None
	failure = failure_of([unable, gone])
	assert failure is not None
	assert (failure.code.value, failure.retryable) == ("timeout", True)
