"""The simulated pushing terminals, before a server that writes down what it is told, and before one that this
project did not write (django-fingerprint-attendance).

What is expected here is copied from the examples in the vendor's two PUSH manuals and from public captures,
not from a driver of this project.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.simulators import workforce
from attendance_bridge.simulators.adms_terminal import FAULTS, AdmsFleet, AdmsState, Dialect, commands, verbs
from attendance_bridge.simulators.adms_terminal.clock import read_zone
from attendance_bridge.simulators.adms_terminal.http import MAX_BODY, BadReplyError, Reply, ReplyReader
from attendance_bridge.simulators.zkteco.wire import encode_time
from tests.simulators.adms_desk import Answer, Desk, Seen

PACE = 0.005
"""Ten seconds of a terminal are a twentieth of a second."""
BOTH = pytest.mark.parametrize("dialect", list(Dialect), ids=lambda dialect: dialect.value)
SERIAL = "3383154200002"
NOW = datetime(2026, 11, 2, 4, 0, 0, tzinfo=timezone.utc)


def a_state(dialect: Dialect = Dialect.ATTENDANCE, **options: Any) -> AdmsState:
	state = AdmsState(serial=SERIAL, dialect=dialect, **options)
	for user_id in ("1", "007", "8"):
		verbs.enroll(state, user_id, name=f"Name {user_id}")
	state.reports.clear()
	return state


@contextmanager
def running(desk: Desk, *states: AdmsState, pace: float = PACE) -> Iterator[AdmsFleet]:
	with AdmsFleet(port=desk.port, pace=pace) as fleet:
		for state in states:
			fleet.add(state)
		yield fleet


def pins(desk: Desk) -> list[str]:
	"""Who punched, whatever the dialect, in the order of arrival, repeated ones too."""
	by_position = [line.split("\t")[0] for line in desk.rows("ATTLOG")]
	by_name = [dict(pair.split("=", 1) for pair in line.split("\t"))["pin"] for line in desk.rows("rtlog")]
	return by_position + [pin for pin in by_name if pin != "0"]


# what is said


def test_the_handshake_and_a_punch_of_the_attendance_dialect() -> None:
	state = a_state(now=lambda: NOW)
	desk = Desk()
	desk.date = "Mon, 02 Nov 2026 04:00:00 GMT"
	with desk, running(desk, state) as fleet:
		desk.wait_for("getrequest")
		verbs.punch(state, "007", VerifyMode.FINGER, DeviceKey.CHECK_OUT)
		assert fleet.wait_until_quiet()
	hello, poll, *_ = desk.seen
	assert (hello.method, hello.path) == ("GET", "/iclock/cdata")
	assert hello.query == {
		"SN": SERIAL,
		"options": "all",
		"pushver": "2.4.1",
		"language": "69",
		"PushOptionsFlag": "1",
	}
	assert hello.headers["user-agent"] == "iClock Proxy/1.09"
	assert (poll.method, poll.path, poll.query) == ("GET", "/iclock/getrequest", {"SN": SERIAL})
	(upload,) = desk.asked("cdata", table="ATTLOG")
	assert upload.method == "POST"
	assert upload.query == {"SN": SERIAL, "table": "ATTLOG", "Stamp": "9999"}
	# Hours east of Greenwich as the option block said: 04:00 UTC is eight o'clock.
	assert upload.body == b"007\t2026-11-02 08:00:00\t1\t1\t0\t0\t0\t0\t0\t0\n"


@pytest.mark.parametrize("columns", [5, 7, 10, 11])
def test_models_write_more_or_fewer_columns(columns: int) -> None:
	state = a_state()
	state.attlog_columns = columns
	verbs.punch(state, "8")
	with Desk() as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
	assert [line.count("\t") + 1 for line in desk.rows("ATTLOG")] == [columns]


def test_a_registered_terminal_of_the_security_dialect() -> None:
	state = a_state(Dialect.SECURITY, now=lambda: NOW)
	desk = Desk()
	desk.date = "Mon, 02 Nov 2026 04:00:00 GMT"
	with desk, running(desk, state) as fleet:
		desk.wait_for("getrequest")
		verbs.punch(state, "8", VerifyMode.FACE, DeviceKey.CHECK_OUT)
		assert fleet.wait_until_quiet()
		assert not desk.asked("registry")
	assert desk.seen[0].query["DeviceType"] == "acc"
	start, punch = desk.rows("rtlog")
	assert "pin=0\t" in start
	assert "event=206" in start
	fields = dict(pair.split("=") for pair in punch.split("\t"))
	assert fields["pin"] == "8"
	assert fields["time"] == f"{NOW + timedelta(hours=4):%Y-%m-%d %H:%M:%S}"
	assert (fields["event"], fields["inoutstatus"], fields["verifytype"]) == ("3", "1", "15")
	assert int(fields["index"]) == 2
	# The token: MD5 of registration code, serial number and session, as the manual says.
	told = f"Uy47fxftP3{SERIAL}30BFB04B2C8AECC72C01C03BFD549D15"
	token = hashlib.md5(told.encode()).hexdigest()
	assert {seen.headers.get("cookie") for seen in desk.seen[1:]} == {f"token={token}"}


def test_an_unregistered_terminal_registers_and_asks_for_its_configuration() -> None:
	def clerk(seen: Seen) -> Answer | None:
		if seen.endpoint == "cdata" and seen.method == "GET":
			return 200, "OK"
		if seen.endpoint == "registry":
			return 200, "RegistryCode=Uy47fxftP3"
		return (200, "RequestDelay=2\nRealtime=1\nSessionID=AB") if seen.endpoint == "push" else None

	state = a_state(Dialect.SECURITY)
	verbs.punch(state, "1")
	with Desk(clerk) as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
	assert [seen.endpoint for seen in desk.seen[:3]] == ["cdata", "registry", "push"]
	told = desk.seen[1].body.decode()
	assert told.startswith("DeviceType=acc,~SerialNumber=")
	assert "Simulated Co., Ltd." in told
	token = hashlib.md5(f"Uy47fxftP3{SERIAL}AB".encode()).hexdigest()
	assert desk.asked("cdata", table="rtlog")[0].headers["cookie"] == f"token={token}"


def test_a_registration_that_is_refused_is_tried_again_and_nothing_is_sent() -> None:
	def clerk(seen: Seen) -> Answer | None:
		if seen.endpoint == "registry":
			return 406, ""
		return (200, "OK") if seen.method == "GET" else None

	state = a_state(Dialect.SECURITY)
	verbs.punch(state, "1")
	with Desk(clerk) as desk, running(desk, state, pace=0.001):
		desk.wait_for("registry", 3)
	assert not desk.asked("cdata", table="rtlog")
	assert state.has_news


def test_new_ways_to_name_a_verification_only_if_the_server_knows_them() -> None:
	state = a_state(Dialect.SECURITY)
	with Desk(NewVFStyles="1") as desk, running(desk, state) as fleet:
		verbs.punch(state, "1", VerifyMode.FACE)
		verbs.punch(state, "1", VerifyMode.FINGER)
		assert fleet.wait_until_quiet()
	told = "\n".join(desk.rows("rtlog"))
	assert "verifytype=0000000000000010\t" in told
	assert "verifytype=0000000000010000\t" in told


def test_what_could_not_be_sent_at_once_may_come_as_transactions() -> None:
	state = a_state(Dialect.SECURITY)
	state.backlog_as_transactions = True
	at = datetime(2026, 11, 2, 8, 0, 5)
	for user_id in ("1", "8"):
		state.record(user_id, at)
	with Desk() as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
	(upload,) = desk.asked("cdata", table="tabledata", tablename="transaction")
	assert upload.query["count"] == "3"
	assert upload.lines[0] == (
		"transaction cardno=0\tpin=1\tverified=15\tdoorid=1\teventtype=3\tinoutstate=0\t"
		f"time_second={encode_time(at)}\tindex=1\tsitecode=0"
	)


@BOTH
def test_users_and_templates_are_told(dialect: Dialect) -> None:
	state = a_state(dialect)
	verbs.enroll(state, "55", "Ana Rosa", card="123456")
	verbs.give_template(state, "55", kind=9)
	with Desk() as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
	if dialect is Dialect.ATTENDANCE:
		operation, user = desk.rows("OPERLOG")
		assert operation.startswith("OPLOG 30\t0\t")
		assert user.startswith("USER PIN=55\tName=Ana Rosa\tPri=0\tPasswd=\tCard=123456\tGrp=1\t")
		(template,) = desk.rows("BIODATA")
		assert template.startswith("BIODATA Pin=55\tNo=0\tIndex=0\tValid=1\tDuress=0\tType=9\t")
	else:
		told = {seen.query["tablename"]: seen.lines[0] for seen in desk.asked("cdata", table="tabledata")}
		assert told["user"].startswith("user uid=4\tcardno=123456\tpin=55\tpassword=\tgroup=1\t")
		assert told["biodata"].startswith("biodata pin=55\tno=0\tindex=0\tvalid=1\tduress=0\ttype=9\t")


# what is taken, and what is not


@BOTH
@pytest.mark.parametrize("refusal", [(503, "busy"), (403, "no"), (200, "ERROR"), (200, "")])
def test_what_is_not_taken_is_sent_again_and_what_is_taken_never(dialect: Dialect, refusal: Answer) -> None:
	refusals = iter([refusal, refusal])

	def clerk(seen: Seen) -> Answer | None:
		return next(refusals, None) if seen.query.get("table") in ("ATTLOG", "rtlog") else None

	state = a_state(dialect)
	verbs.punch(state, "8")
	with Desk(clerk) as desk, running(desk, state, pace=0.001) as fleet:
		assert fleet.wait_until_quiet()
		verbs.reboot(state)
		desk.wait_for("cdata", 2, options="all")
		desk.wait_for("getrequest", 3)
	assert pins(desk) == ["8"] * 3
	assert state.acknowledged() == state.expected()
	assert state.counters["refused"] == 2


def test_a_table_is_taken_only_by_its_own_count() -> None:
	answers = iter(["OK", "user=2", "user=1"])

	def clerk(seen: Seen) -> Answer | None:
		return (200, next(answers)) if seen.query.get("tablename") == "user" else None

	state = a_state(Dialect.SECURITY)
	verbs.enroll(state, "55")
	with Desk(clerk) as desk, running(desk, state, pace=0.001) as fleet:
		assert fleet.wait_until_quiet()
	assert len(desk.asked("cdata", tablename="user")) == 3


@pytest.mark.parametrize("answer", ["OK", "OK: 3", "OK:3", "OK\n"])
def test_every_usual_acknowledgement_takes_a_batch(answer: str) -> None:
	state = a_state()
	for _ in range(3):
		verbs.punch(state, "8")

	def clerk(seen: Seen) -> Answer | None:
		return (200, answer) if seen.query.get("table") == "ATTLOG" else None

	with Desk(clerk) as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
	assert pins(desk) == ["8"] * 3


def test_a_backlog_comes_in_batches_and_in_order() -> None:
	state = a_state()
	state.rows_per_post = 20
	for second in range(50):
		state.record("8", datetime(2026, 11, 2, 8, 0, second))
	with Desk() as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
	assert [len(seen.lines) for seen in desk.asked("cdata", table="ATTLOG")] == [20, 20, 10]
	times = [line.split("\t")[1] for line in desk.rows("ATTLOG")]
	assert times == sorted(times)


def test_a_server_that_is_not_there_is_waited_for() -> None:
	with Desk() as desk:
		port = desk.port
	state = a_state()
	verbs.punch(state, "8")
	with AdmsFleet(port=port, pace=0.001) as fleet:
		fleet.add(state)
		assert not fleet.wait_until_quiet(0.3)
	assert state.counters["hello"] > 2
	assert state.acknowledged() == set()


# what the server asks for


def test_delays_are_those_that_the_server_set() -> None:
	def seconds_for(polls: int, delay: str) -> float:
		with Desk(Delay=delay) as desk, running(desk, a_state(), pace=0.02):
			desk.wait_for("getrequest")
			began = time.monotonic()
			desk.wait_for("getrequest", 1 + polls)
			return time.monotonic() - began

	assert seconds_for(5, "2") >= 5 * 0.035
	assert seconds_for(1, "20") >= 0.35


def test_a_punch_in_the_middle_of_a_poll_is_sent_after_it() -> None:
	state = a_state()
	fleets: list[AdmsFleet] = []

	def punch(seen: Seen) -> Answer | None:
		if seen.endpoint == "getrequest" and not state.expected():
			verbs.punch(state, "8")
			# Until the terminal, which waits for this answer, has heard of it.
			while not fleets or fleets[0]._woken:
				time.sleep(0.002)
		return None

	with Desk(punch, Delay="3600") as desk, running(desk, state, pace=1.0) as fleet:
		fleets.append(fleet)
		desk.wait_for("cdata", table="ATTLOG")


def test_without_realtime_punches_wait_for_the_interval() -> None:
	state = a_state()
	with Desk(Realtime="0", TransInterval="1", Delay="5") as desk, running(desk, state, pace=0.01) as fleet:
		verbs.punch(state, "8")
		assert fleet.wait_until_quiet()
		began = time.monotonic()
		verbs.punch(state, "1")
		assert fleet.wait_until_quiet()
		assert time.monotonic() - began > 0.4  # a minute of the terminal is 0.6 s


def test_stamps_of_newer_firmware_mean_nothing_but_zero() -> None:
	state = a_state()
	verbs.punch(state, "8")
	with Desk() as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
		desk.changed["ATTLOGStamp"] = "77"
		desk.commands.append("CHECK")
		desk.wait_for("cdata", 2, options="all")
		desk.wait_for("getrequest", 4)
		assert pins(desk) == ["8"]
		desk.changed["ATTLOGStamp"] = "0"
		desk.commands.append("CHECK")
		desk.wait_for("cdata", 2, table="ATTLOG")
	assert pins(desk)[:2] == ["8", "8"]


def test_stamps_of_older_firmware_say_where_to_go_on() -> None:
	state = a_state()
	state.stamps_are_times = True
	moments = [datetime(2026, 11, 2, 8, minute) for minute in range(4)]
	for moment in moments:
		state.record("8", moment)
	with Desk() as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
		assert desk.asked("cdata", table="ATTLOG")[0].query["Stamp"] == str(encode_time(moments[3]))
		desk.changed["ATTLOGStamp"] = str(encode_time(moments[1]))
		verbs.reboot(state)
		desk.wait_for("cdata", 2, table="ATTLOG")
	assert len(desk.asked("cdata", table="ATTLOG")[1].lines) == 2


# its clock


@pytest.mark.parametrize(
	("text", "hours"),
	[
		("4", 4),
		("-5", -5),
		("330", 5.5),
		("5.5", 5),
		("-210", -3.5),
		("11", 11),
		("12", 0.2),
		("780", 13),
		("0", 0),
	],
)
def test_a_time_zone_in_hours_or_minutes(text: str, hours: float) -> None:
	assert read_zone(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "Asia/Dubai", "+", "99999", "٣"])
def test_a_time_zone_that_is_none(text: str) -> None:
	assert read_zone(text) is None


def test_the_clock_follows_the_server() -> None:
	state = a_state(now=lambda: NOW)
	verbs.jump_clock(state, timedelta(hours=7))
	desk = Desk(TimeZone="330")
	desk.date = format_datetime(NOW + timedelta(seconds=30), usegmt=True)
	with desk, running(desk, state):
		desk.wait_for("getrequest")
		assert state.wall_now() == datetime(2026, 11, 2, 9, 30, 30)
		# After the change of the clocks the server says another zone: it is read at the next start only.
		desk.changed["TimeZone"] = "390"
		desk.commands.append("CHECK")
		desk.wait_for("cdata", 2, options="all")
		desk.wait_for("getrequest", 4)
		assert state.wall_now() == datetime(2026, 11, 2, 9, 30, 30)
		desk.commands.append("REBOOT")
		desk.wait_for("cdata", 3, options="all")
		desk.wait_for("getrequest", 7)
		assert state.wall_now() == datetime(2026, 11, 2, 10, 30, 30)
	assert state.counters["reboot"] == 1


def test_a_server_without_date_and_zone_changes_no_clock() -> None:
	state = a_state(now=lambda: NOW, utc_offset=timedelta(hours=3))
	desk = Desk(TimeZone="")
	desk.date = ""
	with desk, running(desk, state):
		desk.wait_for("getrequest")
		assert state.wall_now() == datetime(2026, 11, 2, 7, 0, 0)


# commands


def run(state: AdmsState, command: str) -> tuple[Desk, list[str]]:
	"""The lines that devicecmd got."""
	with Desk() as desk, running(desk, state):
		desk.commands.append(command)
		answer = desk.wait_for("devicecmd")[0]
		return desk, answer.lines


@BOTH
@pytest.mark.parametrize(
	("command", "answer"),
	[
		("DATA UPDATE USERINFO PIN=9\tName=Ana Rosa\tPri=14\tPasswd=\tCard=77\tGrp=1", "0&CMD=DATA"),
		("DATA UPDATE user Pin=9\tName=Ana Rosa\tPrivilege=14\tCardNo=77", "0&CMD=DATA"),
		("DATA UPDATE USERINFO PIN=9 Name=Ana Pri=0", "-1002&CMD=DATA"),
		("DATA DELETE USERINFO PIN=8", "0&CMD=DATA"),
		("DATA DELETE USERINFO", "-1002&CMD=DATA"),
		("DATA QUERY TIMEZONE", "-1004&CMD=DATA"),
		("DATA QUERY USERINFO PIN=8", "1&CMD=DATA"),
		("USER ADD PIN=9\tName=Ana", "-1002&CMD=USER"),
		("CHECK", "0&CMD=CHECK"),
		("Shell date", "-1002&CMD=Shell"),
		("ENROLL_BIO TYPE=9\tPIN=8\tRETRY=3\tOVERWRITE=1", "0&CMD=ENROLL_BIO"),
		("ENROLL_BIO TYPE=9\tPIN=999\tRETRY=3\tOVERWRITE=1", "-10&CMD=ENROLL_BIO"),
		("DATA UPDATE BIODATA Pin=8\tNo=0\tValid=1\tType=9\tMajorVer=58\tTmp=QUJD", "0&CMD=DATA"),
		("DATA UPDATE FINGERTMP PIN=8\tFID=6\tSize=5\tValid=1\tTMP=QUJD", "-9&CMD=DATA"),
	],
)
def test_commands_and_their_answers(dialect: Dialect, command: str, answer: str) -> None:
	state = a_state(dialect)
	_, lines = run(state, command)
	assert lines == [f"ID=1&Return={answer}"]
	if "PIN=9\tName=Ana Rosa" in command or "Pin=9" in command:
		ana = state.find_user("9")
		assert ana is not None
		assert (ana.name, ana.privilege, ana.card) == ("Ana Rosa", 14, "77")
	if answer == "0&CMD=DATA" and "DELETE" in command:
		assert state.find_user("8") is None


def test_several_commands_are_answered_together_in_order() -> None:
	state = a_state()
	with Desk() as desk, running(desk, state):
		desk.commands += ["CHECK", "Shell reboot", "DATA DELETE USERINFO PIN=8"]
		(answer, *_) = desk.wait_for("devicecmd")
	assert answer.lines == [
		"ID=1&Return=0&CMD=CHECK",
		"ID=2&Return=-1002&CMD=Shell",
		"ID=3&Return=0&CMD=DATA",
	]
	assert state.counters["shell"] == 1


def test_info_tells_what_it_is() -> None:
	_, lines = run(a_state(), "INFO")
	assert lines[0] == "ID=1&Return=0&CMD=INFO"
	assert f"~SerialNumber={SERIAL}" in lines
	assert "UserCount=3" in lines


def test_a_query_of_the_attendance_dialect_is_answered_in_tables() -> None:
	state = a_state()
	verbs.punch(state, "8")
	desk, lines = run(state, "DATA QUERY USERINFO")
	assert lines == ["ID=1&Return=3&CMD=DATA"]
	told = [line.split("\t")[0] for line in desk.rows("OPERLOG")]
	assert told == ["USER PIN=1", "USER PIN=007", "USER PIN=8"]
	desk, lines = run(state, "DATA QUERY ATTLOG StartTime=2020-01-01 00:00:00\tEndTime=2020-01-02 00:00:00")
	assert lines == ["ID=1&Return=-1&CMD=DATA"]


def test_a_query_of_the_security_dialect_is_answered_in_packs() -> None:
	state = a_state(Dialect.SECURITY)
	state.rows_per_post = 2
	desk, lines = run(state, "DATA QUERY tablename=user,fielddesc=*,filter=*")
	assert lines == ["ID=1&Return=3&CMD=DATA"]
	first, second = desk.asked("querydata")
	assert first.query == {
		"SN": SERIAL,
		"type": "tabledata",
		"cmdid": "1",
		"tablename": "user",
		"count": "2",
		"packcnt": "2",
		"packidx": "1",
	}
	assert second.query["packidx"] == "2"
	assert first.body.count(b"\r\n") == 1


def test_how_many_punches_lie_in_a_stretch_of_time() -> None:
	state = a_state()
	for hour in (8, 9, 17):
		state.record("8", datetime(2026, 11, 2, hour))
	asked = "VERIFY SUM ATTLOG StartTime=2026-11-02 00:00:00\tEndTime=2026-11-02 12:00:00"
	_, lines = run(state, asked)
	assert lines[0].startswith("ID=1&Return=0&CMD=VERIFY SUM&")
	assert lines[0].endswith("&AttlogSum=2")


def test_the_clock_can_be_set_by_a_command() -> None:
	state = a_state(now=lambda: NOW, faults={"wrong-clock"})
	verbs.clear_fault(state, "wrong-clock")
	state.clock.follows_date = False
	_, lines = run(state, f"SET OPTION DateTime={encode_time(datetime(2026, 11, 2, 12, 34, 56))}")
	assert lines == ["ID=1&Return=0&CMD=SET OPTION"]
	assert state.wall_now() == datetime(2026, 11, 2, 12, 34, 56)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_no_command_brings_a_terminal_down(text: str) -> None:
	state = a_state()
	for _, command in commands.read(f"C:1:{text}"):
		assert isinstance(commands.carry_out(state, command).code, int)


# faults


@BOTH
@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_every_fault_shows_and_loses_nothing_by_itself(dialect: Dialect, fault: str) -> None:
	state = a_state(dialect, faults={fault})
	for _ in range(4):
		verbs.punch(state, "8")
		state.rows_per_post = 1
	if fault == "gb-names":
		verbs.enroll(state, "9", "李伟")
	token_needed = fault == "wrong-token"
	nothing_arrives = fault in ("wrong-token", "polls-only")

	def clerk(seen: Seen) -> Answer | None:
		return (404, "") if token_needed and not seen.path.startswith("/iclock/") else None

	with Desk(clerk) as desk, running(desk, state, pace=0.001) as fleet:
		quiet = fleet.wait_until_quiet(1 if nothing_arrives else 20)
	assert quiet is not nothing_arrives
	assert state.acknowledged() == (set() if nothing_arrives else state.expected())
	_SHOWS[fault](desk, state)


def _resent(desk: Desk, state: AdmsState) -> None:
	"""Uploads that the server had whole came again."""
	assert len(pins(desk)) > 4


def _shows_jump(desk: Desk, state: AdmsState) -> None:
	ahead = state.wall_now() - datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(hours=4)
	assert abs(ahead - timedelta(hours=2)) < timedelta(seconds=5)


def _shows_wrong_clock(desk: Desk, state: AdmsState) -> None:
	ahead = state.wall_now() - datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(hours=4)
	assert abs(ahead - timedelta(hours=1)) < timedelta(seconds=5)


def _shows_bad_rows(desk: Desk, state: AdmsState) -> None:
	text = "\n".join(desk.rows("ATTLOG") + desk.rows("rtlog"))
	assert "2026-02-31 08:00:00" in text
	assert "99-99-99" in text
	assert len(state.expected()) <= 4


def _shows_gb(desk: Desk, state: AdmsState) -> None:
	bodies = b"".join(seen.body for seen in desk.seen)
	assert "李伟".encode("gb2312") in bodies
	assert "李伟".encode() not in bodies


def _shows_half(desk: Desk, state: AdmsState) -> None:
	assert state.counters["broken"] >= 2


def _shows_keep_alive(desk: Desk, state: AdmsState) -> None:
	assert {seen.headers["connection"] for seen in desk.seen} == {"keep-alive"}


def _shows_no_type(desk: Desk, state: AdmsState) -> None:
	assert all("content-type" not in seen.headers for seen in desk.seen)


def _shows_odd(desk: Desk, state: AdmsState) -> None:
	assert desk.asked("cdata", table="ERRORLOG") or desk.asked("cdata", table="rtstate")


def _shows_slow(desk: Desk, state: AdmsState) -> None:
	assert state.counters["broken"] == 0


def _shows_wrong_token(desk: Desk, state: AdmsState) -> None:
	assert all(seen.path.startswith("/0000-nobody-0000/iclock/") for seen in desk.seen)
	assert state.answers[404] > 1


def _shows_polls_only(desk: Desk, state: AdmsState) -> None:
	assert len(desk.asked("getrequest")) > 3
	assert pins(desk) == []


def _shows_replay(desk: Desk, state: AdmsState) -> None:
	before = len(pins(desk))
	state.follow_stamp("9999")
	assert before >= 4
	assert state.has_news


_SHOWS = {
	"answer-lost": _resent,
	"bad-rows": _shows_bad_rows,
	"clock-jump": _shows_jump,
	"gb-names": _shows_gb,
	"half-body": _shows_half,
	"keep-alive": _shows_keep_alive,
	"no-content-type": _shows_no_type,
	"odd-tables": _shows_odd,
	"polls-only": _shows_polls_only,
	"replay": _shows_replay,
	"slow-body": _shows_slow,
	"wrong-clock": _shows_wrong_clock,
	"wrong-token": _shows_wrong_token,
}


def test_a_log_that_is_full_overwrites_its_oldest_rows() -> None:
	state = a_state(log_capacity=3)
	for minute in range(5):
		state.record("8", datetime(2026, 11, 2, 8, minute))
	assert [entry.wall_time.minute for entry in state.overwritten] == [0, 1]
	assert len(state.expected()) == 5
	with Desk() as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
	assert [line.split("\t")[1][-5:-3] for line in desk.rows("ATTLOG")] == ["02", "03", "04"]
	assert len(state.acknowledged()) == 3


def test_an_unplugged_terminal_records_and_tells_later() -> None:
	state = a_state()
	with Desk() as desk, running(desk, state) as fleet:
		desk.wait_for("getrequest")
		verbs.unplug(state)
		time.sleep(0.1)
		silent = len(desk.seen)
		verbs.punch(state, "8")
		time.sleep(0.2)
		assert len(desk.seen) == silent
		verbs.plug_in(state)
		assert fleet.wait_until_quiet()
	assert pins(desk) == ["8"]


@BOTH
def test_refusals_are_events_of_the_security_dialect_only(dialect: Dialect) -> None:
	state = a_state(dialect)
	verbs.deny(state, "8")
	verbs.open_door(state)
	with Desk() as desk, running(desk, state) as fleet:
		assert fleet.wait_until_quiet()
	assert state.expected() == set()
	assert desk.rows("ATTLOG") == []
	if dialect is Dialect.SECURITY:
		assert [line.split("event=")[1][:3] for line in desk.rows("rtlog")] == ["27\t", "200", "206"]


def test_faults_must_be_known() -> None:
	with pytest.raises(ValueError, match="no such fault"):
		AdmsState(faults={"flood"})
	with pytest.raises(KeyError):
		verbs.set_fault(a_state(), "flood")


# many of them


def test_five_hundred_terminals_start_at_once_in_one_thread() -> None:
	dialects = list(Dialect)
	states = [AdmsState(serial=f"STORM{number:05d}", dialect=dialects[number % 2]) for number in range(500)]
	for state in states:
		verbs.enroll(state, "8")
		verbs.punch(state, "8")
	with Desk() as desk, running(desk, *states, pace=1.0) as fleet:
		assert fleet.wait_until_quiet(60)
		assert [thread.name for thread in threading.enumerate()].count("adms-fleet") == 1
		verbs.boot_storm(states)
		desk.wait_for("cdata", 1000, timeout=60, options="all")
	assert all(state.acknowledged() == state.expected() != set() for state in states)
	assert "adms-fleet" not in [thread.name for thread in threading.enumerate()]


def test_two_terminals_may_bear_one_serial_number() -> None:
	twins = [a_state(), a_state()]
	for twin in twins:
		twin.clock.utc_offset = timedelta(hours=3)
	with Desk() as desk, running(desk, *twins) as fleet:
		verbs.punch(twins[0], "1")
		verbs.punch(twins[1], "8")
		assert fleet.wait_until_quiet()
	assert sorted(pins(desk)) == ["1", "8"]
	assert {seen.query["SN"] for seen in desk.seen} == {SERIAL}


def test_a_factory_is_told_whole() -> None:
	factory = workforce.build(40, 3, 7, date(2026, 10, 31))
	states = [
		AdmsState.from_workforce(factory, number=number, of=2, dialect=dialect)
		for number, dialect in enumerate(Dialect, 1)
	]
	with Desk() as desk, running(desk, *states) as fleet:
		assert fleet.wait_until_quiet()
	assert sum(state.punches_held() for state in states) == len(pins(desk)) > 100
	assert {state.serial for state in states} == {"SIMADMS00001", "SIMADMS00002"}


# HTTP


WHOLE = [
	b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: Mon, 09 Jan 2017 02:20:19 GMT\r\n\r\nOK",
	b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nO\r\n1;x=y\r\nK\r\n0\r\n\r\n",
]


@pytest.mark.parametrize("raw", WHOLE)
@given(cuts=st.lists(st.integers(0, 120), max_size=6))
def test_an_answer_in_any_pieces(raw: bytes, cuts: list[int]) -> None:
	places = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
	reader = ReplyReader()
	replies = [reader.feed(raw[low:high]) for low, high in pairwise(places)]
	assert replies[-1] == Reply(200, replies[-1].headers, b"OK")  # type: ignore[union-attr]


def test_an_answer_that_ends_with_the_connection() -> None:
	reader = ReplyReader()
	assert reader.feed(b"HTTP/1.0 200 OK\r\n\r\nO") is None
	assert reader.feed(b"K") is None
	reply = reader.end()
	assert reply is not None
	assert reply.text == "OK"


@pytest.mark.parametrize(
	"raw",
	[
		b"SSH-2.0-OpenSSH\r\n\r\n",
		b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
		b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
		b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		b"x" * 20_000,
		b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_BODY + 1),
	],
)
def test_what_is_no_answer(raw: bytes) -> None:
	with pytest.raises(BadReplyError):
		ReplyReader().feed(raw)


# before a server that this project did not write


class Public:
	def __init__(self, port: int) -> None:
		self.port = port

	def call(self, path: str, content: object | None = None) -> Any:
		body = None if content is None else json.dumps(content).encode()
		with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", body, timeout=20) as answer:
			return json.load(answer)


@pytest.fixture
def public_server(tmp_path: Path) -> Iterator[Public]:
	pytest.importorskip("fingerprint_attendance", reason="installed with the tools for development")
	with Desk() as desk:
		port = desk.port
	script = Path(__file__).with_name("public_adms_server.py")
	command = [sys.executable, str(script), str(tmp_path / "public.db"), str(port)]
	with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
		assert process.stdout is not None
		assert process.stdout.readline() == "ready\n"
		yield Public(port)
		process.terminate()


def test_a_public_server_understands_them(public_server: Public) -> None:
	state = AdmsState(serial="CNX1000001", utc_offset=timedelta(0))
	verbs.enroll(state, "007", "Ana Rosa")
	verbs.enroll(state, "8", "李伟")
	first = verbs.punch(state, "007", VerifyMode.FINGER)
	with AdmsFleet(port=public_server.port, pace=0.002) as fleet:
		fleet.add(state)
		# It lets nobody in whom nobody has approved, and the terminal keeps what it has.
		_until(lambda: state.answers[403] > 1)
		assert public_server.call("held")["punches"] == []
		public_server.call("approve?SN=CNX1000001")
		assert fleet.wait_until_quiet()
		held = public_server.call("held")
		assert held["punches"] == [["CNX1000001", "007", f"{first.wall_time:%Y-%m-%d %H:%M:%S}", 1]]
		assert sorted(held["users"]) == ["007", "8"]
		payload = {"pin": "55", "name": "Noor Karim"}
		public_server.call("command?SN=CNX1000001&type=add_user", payload)
		_until(lambda: state.find_user("55") is not None)
		_until(lambda: ["add_user", "succeeded"] in public_server.call("held")["commands"])
	assert state.find_user("55").name == "Noor Karim"  # type: ignore[union-attr]


def _until(condition: Any, timeout: float = 20.0) -> None:
	end = time.monotonic() + timeout
	while not condition():
		assert time.monotonic() < end
		time.sleep(0.02)
