"""Nothing that belongs to a person, and no secret, is left in a recording, whatever a terminal holds."""

from __future__ import annotations

import json
import logging
import re
import struct
from datetime import datetime, timedelta, timezone
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attendance_bridge.core.driver import Driver as DriverPort
from attendance_bridge.core.driver import Window
from attendance_bridge.core.pseudonyms import Pseudonyms
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.core.recording import Note, Recording, Tape, interview, make_recording
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi import Driver as HikvisionDriver
from attendance_bridge.drivers.hikvision_isapi.config import Config as HikvisionConfig
from attendance_bridge.drivers.hikvision_isapi.redaction import redact_body
from attendance_bridge.drivers.zkteco_tcp import Driver as ZktecoDriver
from attendance_bridge.drivers.zkteco_tcp.config import Config as ZktecoConfig
from attendance_bridge.drivers.zkteco_tcp.config import Transport
from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal, verbs
from attendance_bridge.simulators.zkteco import ZktecoState, ZktecoTerminal
from attendance_bridge.simulators.zkteco.records import TerminalUser
from attendance_bridge.simulators.zkteco.wire import decode
from tests.drivers.replay import replay

ZONE = ZoneInfo("Asia/Dubai")
NOW = datetime(2026, 10, 31, 6, 0, tzinfo=timezone.utc)
WINDOW = Window(start=NOW - timedelta(days=7), end=NOW)
FEW = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 '-محمدعلیüéß王伟字𠀀"
NAMES = st.text(LETTERS, min_size=6, max_size=22).map(str.strip)
# A letter in front that no keyword has.
NAMES = NAMES.filter(lambda name: sum(map(str.isalpha, name)) >= 5).map(lambda name: f"ß{name}")
# Beginning with a letter that no keyword has: an id such as "202" stands in every date.
NUMBERS = st.one_of(
	st.integers(min_value=3_000_000, max_value=4_000_000_000).map(str),
	st.integers(min_value=30_000, max_value=900_000).map(lambda number: f"00{number}"),
)
IDS = st.one_of(st.from_regex(r"[QXZ][A-Z0-9]{3,9}", fullmatch=True), NUMBERS)
CARDS = st.integers(min_value=100_000_000, max_value=2**32 - 1)
SERIALS = st.from_regex(r"[A-Z]{4}[0-9]{9}", fullmatch=True)
PASSWORDS = st.from_regex(r"[g-z]{7}", fullmatch=True)


@st.composite
def people(draw: st.DrawFn, numeric: bool = False) -> list[tuple[str, str, int, str]]:
	ids = NUMBERS if numeric else IDS
	chosen = draw(
		st.lists(ids, min_size=1, max_size=8, unique_by=lambda one: int(one) if one.isdigit() else one)
	)
	return [(user_id, draw(NAMES), draw(CARDS), draw(PASSWORDS)) for user_id in chosen]


def recorded(driver: Any, /, **about: Any) -> Recording:
	tape = Tape()
	with driver:
		driver.overhear(tape)
		steps = interview(driver, WINDOW, tape.limits)
	return make_recording(
		driver,
		tape,
		steps,
		key=b"k" * 32,
		app_version="test",
		source="simulator",
		recorded_at=NOW.isoformat(),
		time_zone=ZONE.key,
		window=(WINDOW.start.isoformat(), WINDOW.end.isoformat()),
		**about,
	)


@cache
def nobodys(family: str) -> str:
	"""A recording of a terminal that holds nobody: what stands in it anyway is nobody's, be it a number that
	looks like an id."""
	if family == "zkteco":
		with ZktecoTerminal(ZktecoState(serial="W")) as zkteco:
			return recorded(zkteco_driver(zkteco.port), driver="zkteco_tcp").to_text()
	state = HikvisionState(
		serial="W", name="W", user="keeper-of-keys", password="Correct-1-Horse", now=lambda: NOW
	)
	with HikvisionTerminal(state) as hikvision:
		return recorded(hikvision_driver(hikvision.port), driver="hikvision_isapi").to_text()


# --- ZKTeco


def zkteco_driver(port: int, *, comm_key: str = "", transport: Transport = Transport.TCP) -> DriverPort:
	key = Secret(comm_key) if comm_key else None
	config = ZktecoConfig(host="127.0.0.1", port=port, comm_key=key, transport=transport, timeout=2.0)
	return ZktecoDriver(config, zone=ZONE, now=lambda: NOW)


def packets_of(recording: Recording) -> list[bytes]:
	return [bytes.fromhex(exchange["hex"]) for exchange in recording.exchanges if exchange.get("hex")]


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
@pytest.mark.parametrize("layout", [8, 16, 40, 49])
@FEW
@given(data=st.data())
def test_nothing_is_left_of_anybody_zkteco(layout: int, transport: Transport, data: st.DataObject) -> None:
	users = data.draw(people(numeric=layout == 16))
	serial = data.draw(SERIALS)
	state = ZktecoState(serial=serial, log_layout=layout, comm_key=31_415_926)
	for number, (user_id, name, card, password) in enumerate(users, 1):
		state.put_user(
			TerminalUser(uid=number + 7000, user_id=user_id, name=name, card=card, password=password)
		)
		state.record(user_id, datetime(2026, 10, 30, 8, number), VerifyMode.FACE, DeviceKey.CHECK_IN)
	if layout == 8:
		state.remove_user(7001)  # its punch names it by its number from now on
	with ZktecoTerminal(state) as terminal:
		recording = recorded(
			zkteco_driver(terminal.port, comm_key="31415926", transport=transport), driver="zkteco_tcp"
		)

	text, packets = recording.to_text(), packets_of(recording)
	shown = b"\n".join(packets)
	told = re.sub(r'"hex": "[0-9a-f]*"', "", text)
	# How much there is room for, and how much is free: nobody's number, whose id it may look like.
	room = (state.user_capacity, state.log_capacity)
	memory = {most - used for most in room for used in range(len(users) + 1)}
	for user_id, name, card, password in users:
		for original in (user_id, name, str(card), password, serial, "31415926"):
			assert original not in told or original in nobodys("zkteco")
			assert original.encode() not in shown
		numbers = (card, int(user_id)) if user_id.isdigit() else (card,)
		for number in (number.to_bytes(4, "little") for number in numbers if number not in memory):
			# One with zeros in it is in every other packet.
			assert number.count(0) > 1 or number not in shown
	assert replay(recording) == list(recording.expected)
	assert all(decode(packet[8:] if transport is Transport.TCP else packet) for packet in packets)
	(pages,) = (step["answer"] for step in recording.expected if step["ask"] == "fetch")
	assert len({punch[0] for page in pages for punch in page["punches"]}) == len(users)


def test_a_log_without_a_known_layout_is_scrambled() -> None:
	record = b"Quillfeather".ljust(31, b"\0")
	log = struct.pack("<I", 31 * 3) + record * 3
	packet = struct.pack("<4sI4H", b"\x50\x50\x82\x7d", len(log) + 8, 1501, 0, 7, 1) + log
	question = struct.pack("<4sI4Hbhii", b"\x50\x50\x82\x7d", 19, 1503, 0, 7, 1, 1, 13, 0, 0)
	notes = [Note("sent", {"data": question}), Note("received", {"data": packet})]
	(_sent, received) = zkteco_driver(1).redact(notes, Pseudonyms(b"k"))  # type: ignore[attr-defined]
	told = bytes.fromhex(received["hex"])
	assert b"Quill" not in told
	assert len(told) == len(packet)
	assert told[16:20] == log[:4]


@given(st.lists(st.tuples(st.sampled_from(["sent", "received", "failed", "opened"]), st.binary(max_size=80))))
def test_any_bytes_can_be_redacted_zkteco(heard: list[tuple[str, bytes]]) -> None:
	about = {"failed": {"error": "timeout"}, "opened": {"transport": "udp"}}
	notes = [Note(kind, about.get(kind, {"data": data})) for kind, data in heard]
	told = zkteco_driver(1).redact(notes, Pseudonyms(b"k"))  # type: ignore[attr-defined]
	json.dumps(told)
	kept = sum(len(note.facts["data"]) for note in notes if "data" in note.facts)
	assert sum(len(exchange.get("hex", "")) for exchange in told) == 2 * kept


# --- Hikvision


def hikvision_driver(port: int) -> DriverPort:
	config = HikvisionConfig(
		host="127.0.0.1", port=port, user="keeper-of-keys", password=Secret("Correct-1-Horse"), minor=75
	)
	return HikvisionDriver(config, zone=ZONE, now=lambda: NOW)


@FEW
@given(users=people(), serial=SERIALS, device_name=NAMES)
def test_nothing_is_left_of_anybody_hikvision(
	users: list[tuple[str, str, int, str]], serial: str, device_name: str
) -> None:
	state = HikvisionState(
		serial=serial, name=device_name, user="keeper-of-keys", password="Correct-1-Horse", now=lambda: NOW
	)
	for number, (user_id, name, card, _password) in enumerate(users, 1):
		verbs.enroll(state, user_id, name, str(card))
		verbs.punch(state, user_id, at=datetime(2026, 10, 30, 8, number, tzinfo=ZONE))
	with HikvisionTerminal(state) as terminal:
		recording = recorded(hikvision_driver(terminal.port), driver="hikvision_isapi")
	text = recording.to_text()
	# As a reader sees it: without JSON's escapes in escapes.
	shown = text + json.dumps(json.loads(text), ensure_ascii=False).replace("\\", "")
	for user_id, name, card, _password in users:
		for original in (user_id, name, str(card)):
			assert original not in shown or original in nobodys("hikvision")
	for original in (serial, device_name, "keeper-of-keys", "Correct-1-Horse", "127.0.0.1", "192.0.2.64"):
		assert original not in shown
	assert "acsLinkCap" not in shown  # where a picture of a face lies
	assert replay(recording) == list(recording.expected)
	answers = {step["ask"]: step["answer"] for step in recording.expected}
	assert len({punch[0] for punch in answers["fetch"][0]["punches"]}) == len(
		{user_id for user_id, *_rest in users}
	)


BODIES = [
	('{"name":"Quillfeather","serialNo":41}', True),
	('{"UserInfo":{"name":"Quillfeather","employeeNo":"00471"}}', True),
	('{"a":["Quillfeather",{"time":"2026-10-30T08:00:00"},"Quillfeather"]}', True),
	('{"name":"Quillfea', False),
	('{"name":Quillfeather}', False),
	('{"time":"Quillfeather\\u0000"}', True),
	('{"name":"Quill\\u0066eather"}', True),
	("<a><name>Quillfeather</name></a>", False),
	('<a name="Quillfeather" xmlns="urn:x">x</a>', False),
	("<a><model>M1</model>Quillfeather</a>", False),
	("<a><name>Quillfeather &amp; Sons</name></a>", False),
	("<!-- Quillfeather --><a/>", False),
	("<a><![CDATA[Quillfeather]]></a>", False),
	("<html name=Quillfeather>Quillfeather", False),
	("Quillfeather", False),
	('{"weight":-471.25e3,"other":0.5,"code":10}', True),
]


@pytest.mark.parametrize(("body", "is_json"), BODIES)
def test_wherever_it_stands(body: str, is_json: bool) -> None:
	told = redact_body(body.encode(), Pseudonyms(b"k")).decode()
	assert "Quillfea" not in told
	if is_json:
		assert _shape(json.loads(told)) == _shape(json.loads(body))


def _shape(value: object) -> object:
	if isinstance(value, dict):
		return {key: _shape(member) for key, member in value.items()}
	if isinstance(value, list):
		return [_shape(member) for member in value]
	return type(value) if isinstance(value, float) else (type(value), len(str(value)))


def test_secrets_and_pictures_are_only_as_long_as_they_were() -> None:
	body = b'{"password":"hunter2","pin_token":4711,"faceURL":"http://192.0.2.9/face.jpg","faceData":"AAAA"}'
	told = json.loads(redact_body(body, Pseudonyms(b"k")))
	assert told == {
		"password": "*******",
		"pin_token": 1111,
		"faceURL": "dropped:25",
		"faceData": "dropped:4",
	}
	assert b"hunter2" not in redact_body(body, Pseudonyms(b"k"))


def test_addresses_are_those_of_documentation() -> None:
	told = redact_body(b"<a><ipAddress>10.20.30.40</ipAddress></a>", Pseudonyms(b"k")).decode()
	assert re.search(r">192\.0\.2\.\d{1,3}<", told)


@given(st.binary(max_size=200))
def test_any_bytes_can_be_redacted_hikvision(body: bytes) -> None:
	for start in (b"", b"{", b"<", b'{"name":"'):
		redact_body(start + body, Pseudonyms(b"k"))


@given(st.text(max_size=200))
def test_the_challenge_loses_its_nonce(noise: str) -> None:
	nonce = "c0ffee" + noise.replace('"', "").replace("\\", "")
	facts: dict[str, Any] = {
		"method": "GET",
		"path": "/x",
		"question": None,
		"with_credentials": False,
		"status": 401,
		"challenge": f'Digest realm="DS-1", nonce="{nonce}", qop="auth", stale=TRUE',
		"content_type": "",
		"answer": b"",
	}
	(told,) = hikvision_driver(1).redact([Note("http", facts)], Pseudonyms(b"k"))  # type: ignore[attr-defined]
	header = told["headers"]["WWW-Authenticate"]
	assert "c0ffee" not in header
	assert header.endswith('qop="auth", stale=TRUE')


# --- what must not be seen


def test_no_secret_on_a_tape(caplog: pytest.LogCaptureFixture) -> None:
	"""The proof of a password is never on it; and what is on it does not show."""
	caplog.set_level(logging.DEBUG)
	tape = Tape()
	state = HikvisionState(user="keeper-of-keys", password="Correct-1-Horse", now=lambda: NOW)
	with HikvisionTerminal(state) as terminal, hikvision_driver(terminal.port) as driver:
		driver.overhear(tape)  # type: ignore[attr-defined]
		driver.identify()
		shown = repr(tape) + repr(tape.notes) + repr(vars(driver)) + caplog.text
	assert "Correct-1-Horse" not in shown
	assert "keeper-of-keys" not in repr(tape.notes) + caplog.text
	facts = repr([dict(note.facts) for note in tape.notes])
	assert "Correct-1-Horse" not in facts
	assert "response=" not in facts
