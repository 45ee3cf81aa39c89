"""Terminals that push to an agent: real sockets, a real database."""

from __future__ import annotations

import gzip
import http.client
import socket
import sqlite3
import ssl
import threading
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from attendance_bridge.core.errors import Code, ConfigError
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.zkteco_adms import requests as ask
from attendance_bridge.drivers.zkteco_adms.config import Config
from attendance_bridge.edge.certificates import make_certificate
from attendance_bridge.edge.receiver import server
from attendance_bridge.edge.receiver.service import make_receiver
from attendance_bridge.edge.receiver.settings import ReceiverSettings
from attendance_bridge.stores.push import CommandState, PairingState
from tests.edge.receiver.conftest import DUBAI, Clock, Open, Premises, device

ATTLOG = "/iclock/cdata?SN=A1&table=ATTLOG&Stamp=17"
ROW = "007\t2026-11-26 11:58:00\t1\t15\t0\t0"


def user_ids(premises: Premises) -> list[str]:
	return sorted(held.punch.device_user_id for held in premises.punches.held())


def test_a_push_is_held_before_it_is_acknowledged(premises: Premises) -> None:
	answer = premises.post(ATTLOG, f"{ROW}\n008\t2026-11-26 11:59:00\t0\t1\n")
	assert (answer.status, answer.text) == (200, "OK: 2")
	held = {each.punch.device_user_id: each.punch for each in premises.punches.held()}
	assert set(held) == {"007", "008"}, "leading zeros stay"
	assert held["007"].device_key is DeviceKey.CHECK_OUT
	assert held["007"].verify_mode is VerifyMode.FACE
	assert held["007"].occurred_at == datetime(2026, 11, 26, 11, 58, tzinfo=DUBAI)
	assert premises.woken == 1


def test_the_same_push_again_brings_nothing_new(premises: Premises) -> None:
	for _time in range(3):
		assert premises.post(ATTLOG, ROW).text == "OK: 1"
	assert user_ids(premises) == ["007"]
	assert premises.woken == 1


def test_what_cannot_be_held_is_not_acknowledged(premises: Premises, monkeypatch: pytest.MonkeyPatch) -> None:
	"""Another process holds the database for longer than anybody waits."""
	monkeypatch.setattr(premises.database, "_busy_timeout", timedelta(0))
	premises.database._writer.execute("PRAGMA busy_timeout = 10")
	other = sqlite3.connect(premises.database.path, isolation_level=None)
	other.execute("BEGIN IMMEDIATE")
	answer = premises.post(ATTLOG, ROW)
	assert answer.status == 503
	assert "retry-after" in answer.headers
	assert "date" in answer.headers
	other.execute("ROLLBACK")
	other.close()
	assert premises.post(ATTLOG, ROW).status == 200
	assert user_ids(premises) == ["007"]


def test_a_terminal_resumes_where_it_was_after_a_restart(open_premises: Open) -> None:
	first = open_premises(device("A1"))
	hello = "/iclock/cdata?SN=A1&options=all&pushver=2.4.1"
	assert "ATTLOGStamp=0\n" in first.get(hello).text
	first.post(ATTLOG, ROW)
	assert "ATTLOGStamp=17\n" in first.get(hello).text
	first.close()
	again = open_premises(device("A1"))
	assert "ATTLOGStamp=17\n" in again.get(hello).text


def test_the_handshake_of_both_dialects(premises: Premises, clock: Clock) -> None:
	answer = premises.get("/iclock/cdata?SN=A1&options=all&pushver=2.4.1&DeviceType=middle%20east")
	assert answer.text.startswith("GET OPTION FROM: A1\n")
	assert "TimeZone=4\n" in answer.text
	assert parsedate_to_datetime(answer.headers["date"]) == clock.now
	assert premises.get("/iclock/cdata?SN=A1&options=all&pushver=3.1.2&DeviceType=acc").text == "OK"
	code = premises.post(
		"/iclock/registry?SN=A1", "DeviceType=acc,~DeviceName=F22,MAC=00:17:61:11:ad:4f"
	).text
	assert code.startswith("RegistryCode=")
	block = premises.get("/iclock/cdata?SN=A1&options=all&pushver=3.1.2&DeviceType=acc").text
	assert block.startswith(f"registry=ok\n{code}")
	session = next(line for line in block.splitlines() if line.startswith("SessionID="))
	assert session in premises.post("/iclock/push?SN=A1", "").text.splitlines()


def test_an_agent_that_starts_anew_gives_the_same_codes(open_premises: Open) -> None:
	first = open_premises(device("A1"))
	code = first.post("/iclock/registry?SN=A1", "DeviceType=acc").text
	first.close()
	again = open_premises(device("A1"))
	assert again.post("/iclock/registry?SN=A1", "DeviceType=acc").text == code


def test_an_unknown_terminal_waits_and_its_punches_stay_on_it(premises: Premises) -> None:
	path = "/iclock/cdata?SN=B2&table=ATTLOG&Stamp=1"
	assert premises.post(path, ROW).status == 503
	assert premises.punches.held() == []
	(caller,) = premises.pairing.callers()
	assert (caller.serial, caller.state, caller.peer) == ("B2", PairingState.WAITING, "127.0.0.1")
	premises.pairing.approve(
		"B2", name="Back", zone="Asia/Dubai", role="in", user_id_prefix="", by="somebody"
	)
	assert premises.post(path, ROW).text == "OK: 1"
	assert user_ids(premises) == ["007"]
	assert premises.book.policies()["B2"].role.value == "in"


def test_who_was_let_in_at_the_command_line_is_let_in(premises: Premises) -> None:
	from attendance_bridge.edge.receiver.pairing import Pairing
	from attendance_bridge.edge.terminals import Terminals

	elsewhere = Pairing(premises.push_book, Terminals(()), now=premises.clock)
	elsewhere.approve("B2", name="Back", zone="Asia/Dubai", role="in", user_id_prefix="", by="somebody")
	premises.pairing.reload()  # what the receiver does every few seconds
	assert premises.post("/iclock/cdata?SN=B2&table=ATTLOG", ROW).text == "OK: 1"


def test_a_refused_or_forgotten_terminal_is_let_in_no_more(premises: Premises) -> None:
	premises.pairing.approve(
		"B2", name="Back", zone="Asia/Dubai", role="in", user_id_prefix="", by="somebody"
	)
	path = "/iclock/cdata?SN=B2&table=ATTLOG"
	assert premises.post(path, ROW).status == 200
	premises.pairing.refuse("B2", by="somebody")
	assert premises.post(path, ROW).status == 403
	premises.pairing.forget("B2", by="somebody")
	assert premises.post(path, ROW).status == 503


def test_a_disabled_terminal_is_not_answered(open_premises: Open) -> None:
	premises = open_premises(device("A1", enabled=False))
	assert premises.post(ATTLOG, ROW).status == 503
	assert premises.punches.held() == []


def test_pairing_can_be_closed(open_premises: Open) -> None:
	premises = open_premises(pairing=False)
	assert premises.post("/iclock/cdata?SN=B2&table=ATTLOG", ROW).status == 503
	assert premises.pairing.callers() == []


def test_strangers_are_slowed_down_and_terminals_beside_them_are_not(premises: Premises) -> None:
	statuses = [premises.post(f"/iclock/cdata?SN=X{number}&table=ATTLOG", ROW).status for number in range(30)]
	assert statuses.count(503) == 20
	assert statuses.count(429) == 10
	assert len(premises.pairing.callers()) == 20
	assert premises.post(ATTLOG, ROW).status == 200


TOKEN = "abcdefghijklmnop"


@pytest.mark.parametrize(
	("path", "status"),
	[
		(f"/iclock/{TOKEN}/cdata", 200),
		(f"/{TOKEN}/iclock/cdata", 200),
		(f"/{TOKEN}/iclock/cdata.aspx", 200),
		("/iclock/cdata", 403),
		(f"/iclock/{TOKEN}x/cdata", 403),
		(f"/{TOKEN.upper()}/iclock/cdata", 403),
	],
)
def test_the_token_in_the_path(open_premises: Open, path: str, status: int) -> None:
	premises = open_premises(device("A1", Config(push_token=Secret(TOKEN))))
	assert premises.post(f"{path}?SN=A1&table=ATTLOG", ROW).status == status
	assert bool(premises.punches.held()) is (status == 200)


def test_a_terminal_of_its_own_token_does_not_take_that_of_all(open_premises: Open) -> None:
	premises = open_premises(
		device("A1", Config(push_token=Secret(TOKEN))), device("A2"), token=Secret("q" * 16)
	)
	statuses = [
		premises.post(f"/{token}/iclock/cdata?SN={serial}&table=ATTLOG", ROW).status
		for serial in ("A1", "A2")
		for token in (TOKEN, "q" * 16)
	]
	assert statuses == [200, 403, 403, 200]


def test_an_unknown_terminal_without_the_token_is_not_even_listed(open_premises: Open) -> None:
	premises = open_premises(token=Secret(TOKEN))
	assert premises.post("/iclock/cdata?SN=B2&table=ATTLOG", ROW).status == 403
	assert premises.pairing.callers() == []
	assert premises.post(f"/{TOKEN}/iclock/cdata?SN=B2&table=ATTLOG", ROW).status == 503
	assert len(premises.pairing.callers()) == 1


def test_only_allowed_networks_call(open_premises: Open) -> None:
	premises = open_premises(device("A1", Config(networks="192.0.2.0/24")), device("A2"))
	assert premises.post(ATTLOG, ROW).status == 403
	assert premises.post("/iclock/cdata?SN=A2&table=ATTLOG", ROW).status == 200


def test_from_where_nobody_may_call_there_is_not_even_an_answer(open_premises: Open) -> None:
	premises = open_premises(device("A1"), networks="192.0.2.0/24")
	with pytest.raises((http.client.BadStatusLine, ConnectionError)):
		premises.post(ATTLOG, ROW)
	premises.close()
	later = open_premises(device("A1", Config(networks="127.0.0.1")), device("A2"), networks="192.0.2.0/24")
	assert later.post(ATTLOG, ROW).status == 200, "its own network counts"
	assert later.post("/iclock/cdata?SN=A2&table=ATTLOG", ROW).status == 403


def test_who_trickles_in_is_not_listened_to_for_ever(
	premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(server, "CALL_SECONDS", 0.5)
	lines = [socket.create_connection(("127.0.0.1", premises.server.port)) for _number in range(6)]
	for line in lines:
		line.sendall(b"POST /iclock/cdata?SN=A1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nx")
	assert premises.post(ATTLOG, ROW).status == 200, "all four threads were taken"
	for line in lines:
		line.close()


def test_a_push_that_is_too_large_is_not_taken_and_not_lost(
	premises: Premises, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(ask, "MAX_PUNCH_BODY", 1000)
	assert premises.post(ATTLOG, f"{ROW}\n" * 40).status == 413
	assert premises.punches.held() == []
	assert premises.post(ATTLOG, ROW).status == 200


def test_pictures_and_templates_are_acknowledged_and_not_kept(
	premises: Premises, caplog: pytest.LogCaptureFixture
) -> None:
	template = "TEMPLATEDATA" * 2000
	path = "/iclock/cdata?SN=A1&table=tabledata&tablename=biodata&count=2"
	body = f"biodata pin=1\tno=0\ttmp={template}\nbiodata pin=2\tno=0\ttmp={template}\n"
	assert premises.post(path, body).text == "biodata=2"
	picture = b"\xff\xd8" + b"x" * 2_000_000
	assert premises.post("/iclock/fdata?SN=A1&table=ATTPHOTO&Stamp=3", picture).text == "OK"
	premises.stop()
	assert premises.push_book.dropped("A1") == {"picture": 1, "template": 2}
	assert "TEMPLATEDATA" not in caplog.text
	whole = "".join(str(row) for row in premises.database._writer.iterdump())
	assert "TEMPLATEDATA" not in whole


def test_people_in_an_operlog_are_counted_and_their_passwords_not_kept(premises: Premises) -> None:
	body = "USER PIN=1\tName=A\tPasswd=s3cr3t\nFP PIN=1\tFID=0\tTMP=AAAA\nOPLOG 3\t0\t2026-11-26 11:00:00\n"
	assert premises.post("/iclock/cdata?SN=A1&table=OPERLOG&Stamp=5", body).text == "OK: 3"
	premises.stop()
	assert premises.push_book.dropped("A1") == {"operation": 1, "template": 1, "user": 1}
	assert premises.push_book.stamps("A1") == {"OPERLOG": "5"}
	assert "s3cr3t" not in "".join(premises.database._writer.iterdump())


def test_bad_rows_are_kept_as_such_and_their_neighbours_survive(premises: Premises) -> None:
	rows = [
		ROW,
		"009\t2026-02-30 08:00:00\t0\t1",
		"\t2026-11-26 11:00:00\t0",
		"rubbish",
		"010\t2026-11-26 10:00:00",
	]
	assert premises.post(ATTLOG, "\n".join(rows)).text == "OK: 5"
	assert user_ids(premises) == ["007", "010"]
	reasons = sorted(row.reason for row in premises.punches.unreadable())
	assert reasons == ["bad_date", "bad_date", "bad_user_id"]


def test_events_of_an_access_terminal(premises: Premises) -> None:
	events = [
		"time=2026-11-26 11:50:00\tpin=0042\tcardno=0\tevent=3\tinoutstatus=1\tverifytype=15\tindex=1",
		"time=2026-11-26 11:51:00\tpin=0\tcardno=0\tevent=206\tinoutstatus=0\tverifytype=0\tindex=2",
		"time=2026-11-26 11:52:00\tpin=0042\tcardno=0\tevent=29\tinoutstatus=0\tverifytype=1\tindex=3",
		"time=2026-11-26 11:53:00\tpin=\tcardno=77\tevent=27\tinoutstatus=0\tverifytype=4\tindex=4",
	]
	answer = premises.post("/iclock/cdata?SN=A1&table=rtlog", "\r\n".join(events))
	assert (answer.status, answer.text) == (200, "OK")
	(held,) = premises.punches.held()
	assert held.punch.device_user_id == "0042"
	assert held.punch.verify_mode is VerifyMode.FACE
	assert held.punch.device_key is DeviceKey.CHECK_OUT


def test_a_punch_that_was_not_made_yet_brings_its_clock_with_it(premises: Premises, clock: Clock) -> None:
	body = f"{ROW}\n009\t2026-11-26 14:00:00\t0\t1\n"
	premises.post(ATTLOG, body)
	readings = dict(
		premises.database._writer.execute("SELECT device_user_id, clock_offset FROM punch").fetchall()
	)
	assert readings == {"007": None, "009": 2 * 3600 * 1_000_000}


def test_an_access_terminal_shows_its_clock_and_its_punches_are_judged_by_it(premises: Premises) -> None:
	state = "time=2026-11-26 12:30:00\tsensor=00\trelay=00\talarm=0200000000000000"
	assert premises.post("/iclock/cdata?SN=A1&table=rtstate", state).text == "OK"
	premises.post("/iclock/cdata?SN=A1&table=rtlog", "time=2026-11-26 11:50:00\tpin=7\tevent=0\tindex=1")
	(offset,) = premises.database._writer.execute("SELECT clock_offset FROM punch").fetchone()
	assert offset == 30 * 60 * 1_000_000
	premises.stop()
	record = premises.book.find("Gate A1")
	assert record is not None
	assert record.clock_offset == timedelta(minutes=30)
	assert record.clock_good_until is None


def test_a_state_without_a_time_is_acknowledged(premises: Premises) -> None:
	assert premises.post("/iclock/cdata?SN=A1&table=rtstate", "sensor=00").text == "OK"
	assert premises.post("/iclock/cdata?SN=A1&table=rtstate", b"").text == "OK"


def test_commands_go_out_and_come_back(premises: Premises) -> None:
	assert premises.get("/iclock/getrequest?SN=A1").text == "OK"
	first = premises.push_book.queue("A1", "REBOOT", by="somebody", at=premises.clock.now)
	second = premises.push_book.queue("A1", "INFO", by="somebody", at=premises.clock.now)
	assert premises.get("/iclock/getrequest?SN=A1").text == f"C:{first}:REBOOT\nC:{second}:INFO\n"
	assert premises.get("/iclock/getrequest?SN=A1").text == "OK"
	body = f"ID={first}&Return=0&CMD=REBOOT\nID={second}&Return=-1&CMD=INFO\n"
	body += "~DeviceName=K40\nMAC=00:17:61:11:ad:4f\n"
	assert premises.post("/iclock/devicecmd?SN=A1", body).text == "OK"
	states = [each.state for each in premises.push_book.commands("A1")]
	assert states == [CommandState.FAILED, CommandState.DONE]
	premises.stop()
	found = premises.push_book.find("A1")
	assert found is not None
	assert (found.model, found.mac) == ("K40", "00:17:61:11:AD:4F")


def test_a_command_that_nobody_here_can_have_made_is_not_sent(premises: Premises) -> None:
	premises.push_book.queue("A1", "Shell rm -rf /", by="somebody", at=premises.clock.now)
	assert premises.get("/iclock/getrequest?SN=A1").text == "OK"
	assert premises.push_book.commands("A1")[0].state is CommandState.FAILED


def test_the_answer_to_a_query_ends_it_and_brings_its_punches(premises: Premises) -> None:
	command = premises.push_book.queue(
		"A1", "DATA QUERY tablename=transaction,fielddesc=*,filter=*", by="somebody", at=premises.clock.now
	)
	premises.get("/iclock/getrequest?SN=A1")
	path = f"/iclock/querydata?SN=A1&type=tabledata&cmdid={command}&tablename=transaction&count=1"
	row = "transaction cardno=0\tpin=0042\tverified=1\teventtype=0\ttime_second=865252800\tindex=9"
	assert premises.post(f"{path}&packcnt=1&packidx=1", row).text == "transaction=1"
	assert user_ids(premises) == ["0042"]
	assert premises.push_book.commands("A1")[0].state is CommandState.DONE


def test_the_book_of_devices_knows_who_called(premises: Premises, clock: Clock) -> None:
	premises.get("/iclock/getrequest?SN=A1&INFO=Ver%208.0.4,12,0,345,192.0.2.9,10,7,0,0,101")
	premises.stop()
	record = premises.book.find("Gate A1")
	assert record is not None
	assert (record.serial, record.last_seen_at, record.punches_held) == ("A1", clock.now, 345)
	assert record.firmware == "Ver 8.0.4"


@pytest.mark.parametrize(
	("method", "path", "status"),
	[
		("GET", "/", 404),
		("GET", "/iclock/", 404),
		("GET", "/iclock/accounts?SN=A1", 404),
		("GET", "/iclock/cdata", 400),
		("GET", "/iclock/cdata?SN=A%201", 400),
		("GET", "/iclock/cdata?SN=" + "A" * 65, 400),
		("PUT", "/iclock/cdata?SN=A1", 405),
		("GET", "/iclock/../iclock/cdata?SN=A1", 404),
		("POST", "/iclock/exchange?SN=A1&type=publickey", 501),
	],
)
def test_what_is_none_of_the_protocol(premises: Premises, method: str, path: str, status: int) -> None:
	assert premises.call(method, path).status == status


def test_a_push_that_breaks_off_is_not_held(premises: Premises) -> None:
	with socket.create_connection(("127.0.0.1", premises.server.port)) as line:
		line.sendall(f"POST {ATTLOG} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{ROW}\n".encode())
		line.shutdown(socket.SHUT_WR)
		assert b" 400 " in line.recv(1000)
	assert premises.punches.held() == []


def test_a_whole_address_in_the_first_line(premises: Premises) -> None:
	with socket.create_connection(("127.0.0.1", premises.server.port)) as line:
		head = b"GET http://192.0.2.1:8081/iclock/ping?SN=A1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
		line.sendall(head)
		answer = b"".join(iter(lambda: line.recv(1000), b""))
	assert answer.endswith(b"\r\n\r\nOK")


def test_time_for_whoever_asks(premises: Premises) -> None:
	# 2026-11-26 08:00 UTC, counted as if every month had 31 days.
	days = ((26 * 12 + 10) * 31) + 25
	assert (
		premises.get("/iclock/rtdata?SN=A1&type=time").text
		== f"DateTime={days * 86400 + 8 * 3600},ServerTZ=+0400"
	)


def test_two_terminals_with_one_serial_number_are_noticed(premises: Premises, clock: Clock) -> None:
	"""They say other MAC addresses in turn; both are held, and neither gets the other's stamp."""
	premises.post(ATTLOG, ROW)
	for number in range(6):
		mac = f"00:17:61:11:ad:4{number % 2}"
		premises.post("/iclock/cdata?SN=A1&table=options", f"~DeviceName=K40,MAC={mac}")
		clock.pass_(timedelta(seconds=20))
	assert "ATTLOGStamp=0\n" in premises.get("/iclock/cdata?SN=A1&options=all&pushver=2.4.1").text
	premises.stop()
	found = premises.push_book.find("A1")
	assert found is not None
	assert found.is_twin
	record = premises.book.find("Gate A1")
	assert record is not None
	assert record.last_error_code == Code.SAME_SERIAL.value


def test_a_twin_that_is_gone_is_told_of_no_more(open_premises: Open, clock: Clock) -> None:
	premises = open_premises(device("A1"))
	for number in range(6):
		mac = f"00:17:61:11:ad:4{number % 2}"
		premises.post("/iclock/cdata?SN=A1&table=options", f"~DeviceName=K40,MAC={mac}")
	premises.close()
	clock.pass_(timedelta(days=2))
	later = open_premises(device("A1"))
	later.get("/iclock/getrequest?SN=A1")
	later.stop()
	record = later.book.find("Gate A1")
	assert record is not None
	assert record.last_error_code == ""


def raw(premises: Premises, head: str, body: bytes = b"") -> bytes:
	"""What is answered to bytes on the line."""
	with socket.create_connection(("127.0.0.1", premises.server.port), timeout=20) as line:
		line.sendall(f"{head}\r\nHost: x\r\nConnection: close\r\n\r\n".encode() + body)
		return b"".join(iter(lambda: line.recv(1000), b""))


def test_a_packed_body_is_not_taken_for_rubbish(premises: Premises) -> None:
	packed = gzip.compress(f"{ROW}\n".encode())
	head = f"POST {ATTLOG} HTTP/1.1\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}"
	assert b" 415 " in raw(premises, head, packed)
	assert premises.punches.held() == []
	assert premises.punches.unreadable() == []
	plain = f"POST {ATTLOG} HTTP/1.1\r\nContent-Encoding: identity\r\nContent-Length: {len(ROW)}"
	assert raw(premises, plain, ROW.encode()).endswith(b"OK: 1")


@pytest.mark.parametrize("length", [None, "-5", "x", "9" * 12, "9" * 40])
def test_punches_without_an_honest_length_are_not_taken(premises: Premises, length: str | None) -> None:
	said = "" if length is None else f"\r\nContent-Length: {length}"
	answer = raw(premises, f"POST {ATTLOG} HTTP/1.1{said}", ROW.encode())
	assert answer.split()[1] in (b"400", b"411", b"413")


def test_results_in_the_query_need_no_body(premises: Premises) -> None:
	command = premises.push_book.queue("A1", "INFO", by="somebody", at=premises.clock.now)
	premises.get("/iclock/getrequest?SN=A1")
	head = f"POST /iclock/devicecmd?SN=A1&ID={command}&Return=0&CMD=INFO HTTP/1.1"
	assert raw(premises, head).endswith(b"OK")
	assert premises.push_book.commands("A1")[0].state is CommandState.DONE


def test_two_calls_at_a_time_bring_a_command_once(premises: Premises) -> None:
	brought: list[int] = []

	def fetch() -> None:
		brought.extend(each for each, _text in premises.push_book.due("A1", 20, premises.clock.now))

	for _time in range(20):
		premises.push_book.queue("A1", "INFO", by="somebody", at=premises.clock.now)
		threads = [threading.Thread(target=fetch) for _number in range(4)]
		for thread in threads:
			thread.start()
		for thread in threads:
			thread.join()
	assert sorted(brought) == sorted(set(brought))
	assert len(brought) == 20


def test_a_command_that_nobody_fetched_for_days_is_not_sent(premises: Premises, clock: Clock) -> None:
	premises.push_book.queue("A1", "REBOOT", by="somebody", at=clock.now)
	clock.pass_(timedelta(days=3))
	assert premises.get("/iclock/getrequest?SN=A1").text == "OK"
	assert premises.push_book.commands("A1")[0].state is CommandState.FAILED


def test_who_starts_anew_without_an_answer_is_not_told_to_again(premises: Premises, clock: Clock) -> None:
	premises.push_book.queue("A1", "REBOOT", by="somebody", at=clock.now)
	assert premises.get("/iclock/getrequest?SN=A1").text.endswith(":REBOOT\n")
	premises.get("/iclock/cdata?SN=A1&options=all&pushver=2.4.1")
	clock.pass_(timedelta(minutes=6))
	assert premises.get("/iclock/getrequest?SN=A1").text == "OK"
	assert premises.push_book.commands("A1")[0].state is CommandState.DONE


def test_a_terminal_whose_clock_is_slow_is_found_out_and_not_vouched_for(
	premises: Premises, clock: Clock
) -> None:
	for number in range(40):
		clock.pass_(timedelta(minutes=1))
		premises.get("/iclock/getrequest?SN=A1")
		if 5 < number < 12:
			wall = (clock.now - timedelta(hours=1)).astimezone(DUBAI)
			premises.post(ATTLOG, f"{number}\t{wall:%Y-%m-%d %H:%M:%S}\t0\t1")
	offsets = [row[0] for row in premises.database._writer.execute("SELECT clock_offset FROM punch")]
	assert offsets.count(-3600 * 1_000_000) == 2
	premises.stop()
	record = premises.book.find("Gate A1")
	assert record is not None
	assert record.clock_offset == timedelta(hours=-1)
	assert premises.cursors.watermark("A1") is None


def test_with_a_certificate_it_speaks_tls_and_nothing_else(open_premises: Open, tmp_path: Path) -> None:
	certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
	make_certificate(certificate, key, ["gate"], now=datetime.now(timezone.utc))
	premises = open_premises(device("A1"), tls_cert=certificate, tls_key=key)
	trust = ssl.create_default_context(cafile=str(certificate))
	line = http.client.HTTPSConnection("localhost", premises.server.port, timeout=20, context=trust)
	for number in range(3):
		line.request("POST", ATTLOG, f"{number}\t2026-11-26 11:58:00\t1\t15")
		answer = line.getresponse()
		assert (answer.status, answer.read()) == (200, b"OK: 1")
	line.close()
	with pytest.raises((http.client.BadStatusLine, ConnectionError)):
		premises.post(ATTLOG, ROW)
	assert len(premises.punches.held()) == 3


def test_a_silent_handshake_holds_nobody_up(
	open_premises: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
	monkeypatch.setattr(server, "CALL_SECONDS", 0.5)
	certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
	make_certificate(certificate, key, ["gate"], now=datetime.now(timezone.utc))
	premises = open_premises(device("A1"), tls_cert=certificate, tls_key=key)
	lines = [socket.create_connection(("127.0.0.1", premises.server.port)) for _number in range(6)]
	for each in lines:
		each.sendall(b"\x16\x03")
	trust = ssl.create_default_context(cafile=str(certificate))
	line = http.client.HTTPSConnection("localhost", premises.server.port, timeout=20, context=trust)
	line.request("POST", ATTLOG, ROW)
	assert line.getresponse().status == 200
	for each in (*lines, line):
		each.close()


@pytest.mark.parametrize(
	("files", "code", "path"),
	[
		({"tls_cert": "cert.pem"}, Code.MISSING_KEY, "receiver.tls_key"),
		({"tls_key": "key.pem"}, Code.MISSING_KEY, "receiver.tls_cert"),
		({"tls_cert": "cert.pem", "tls_key": "key.pem"}, Code.BAD_VALUE, "receiver.tls_cert"),
	],
)
def test_a_certificate_that_is_none(
	premises: Premises, tmp_path: Path, files: dict[str, str], code: Code, path: str
) -> None:
	(tmp_path / "cert.pem").write_text("nothing")
	settings = ReceiverSettings(enabled=True, **{name: tmp_path / file for name, file in files.items()})
	with pytest.raises(ConfigError) as refused:
		make_receiver(
			settings,
			terminals=premises.terminals,
			pairing=premises.pairing,
			punches=premises.punches,
			push_book=premises.push_book,
			book=premises.book,
			cursors=premises.cursors,
			now=premises.clock,
		)
	assert (refused.value.code, refused.value.details["path"]) == (code, path)
