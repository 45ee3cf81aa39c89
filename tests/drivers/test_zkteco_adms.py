"""What terminals that push say and are told, without any wire."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from attendance_bridge import drivers
from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers._zkteco.times import wall_time
from attendance_bridge.drivers.zkteco_adms import commands, replies, rows
from attendance_bridge.drivers.zkteco_adms.config import Config, check_token, parse_networks
from attendance_bridge.drivers.zkteco_adms.desk import Dialect, Facts, Order, Stamp, Table
from attendance_bridge.drivers.zkteco_adms.limits import Allowance
from attendance_bridge.drivers.zkteco_adms.messages import CommandResults
from attendance_bridge.drivers.zkteco_adms.requests import (
	BadCallError,
	Endpoint,
	read_facts,
	read_head,
	read_message,
)
from attendance_bridge.drivers.zkteco_adms.rows import NotAPunch, Row, place, read_attlog, read_event
from attendance_bridge.drivers.zkteco_adms.sightings import Sightings
from attendance_bridge.drivers.zkteco_adms.texts import fields, lines, number
from attendance_bridge.drivers.zkteco_adms.wire import Request

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)


def attlog(line: bytes) -> Row:
	found = read_attlog(line)
	assert isinstance(found, Row)
	return found


def nothing_held(_first: datetime, _last: datetime) -> Sequence[Punch]:
	return []


# rows


@pytest.mark.parametrize(
	("line", "user_id", "key", "mode"),
	[
		(b"1\t2026-03-01 08:00:00\t0\t1\t0\t0\t0", "1", DeviceKey.CHECK_IN, VerifyMode.FINGER),
		(b"0001\t2026-03-01 08:00:00\t1\t15", "0001", DeviceKey.CHECK_OUT, VerifyMode.FACE),
		(b"  12\t2026-3-1 8:00:00\t255\t255\t\t", "12", DeviceKey.UNDEFINED, VerifyMode.UNKNOWN),
		(b"E-7\t2026/03/01 08:00:00\t4\t25", "E-7", DeviceKey.OVERTIME_IN, VerifyMode.PALM),
		("Zoë\t2026-03-01 08:00:00\t2\t3".encode(), "Zoë", DeviceKey.BREAK_OUT, VerifyMode.PASSWORD),
		(b"\xff\t2026-03-01 08:00:00", "ÿ", DeviceKey.UNDEFINED, VerifyMode.UNKNOWN),
		(
			b"PIN=07\tTime=2026-03-01 08:00:00\tStatus=0\tVerify=1",
			"07",
			DeviceKey.CHECK_IN,
			VerifyMode.FINGER,
		),
	],
)
def test_rows_of_an_attendance_log(line: bytes, user_id: str, key: DeviceKey, mode: VerifyMode) -> None:
	row = attlog(line)
	assert (row.user_id, row.device_key, row.verify_mode) == (user_id, key, mode)
	assert row.wall == datetime(2026, 3, 1, 8)


@pytest.mark.parametrize(
	("line", "reason"),
	[
		(b"1\t2026-02-30 08:00:00\t0\t1", rows.BAD_DATE),
		(b"1\t0000-00-00 00:00:00\t0\t1", rows.BAD_DATE),
		(b"1\t9999-12-31 23:59:59\t0\t1", rows.BAD_DATE),
		(b"1", rows.BAD_DATE),
		(b"\t2026-03-01 08:00:00\t0\t1", rows.BAD_USER_ID),
		(b"1" * 65 + b"\t2026-03-01 08:00:00\t0\t1", rows.BAD_USER_ID),
		(b"1\x07\t2026-03-01 08:00:00\t0\t1", rows.BAD_USER_ID),
	],
)
def test_rows_that_are_none(line: bytes, reason: str) -> None:
	found = read_attlog(line)
	assert isinstance(found, UnreadableRow)
	assert found.reason == reason


@pytest.mark.parametrize(
	("code", "verdict"),
	[
		(0, Row),
		(3, Row),
		(19, Row),
		(207, Row),
		(222, Row),
		(4008, Row),
		(8, NotAPunch.DEVICE),
		(200, NotAPunch.DEVICE),
		(206, NotAPunch.DEVICE),
		(20, NotAPunch.DENIED),
		(99, NotAPunch.DENIED),
		(5001, NotAPunch.DENIED),
		(101, NotAPunch.ALARM),
		(6005, NotAPunch.ALARM),
		(255, NotAPunch.DEVICE),
		(7001, UnreadableRow),
		(-1, UnreadableRow),
	],
)
def test_events_by_their_codes(code: int, verdict: object) -> None:
	found = read_event(f"time=2026-03-01 08:00:00\tpin=7\tevent={code}\tindex=1".encode())
	assert found is verdict or (isinstance(verdict, type) and isinstance(found, verdict))


@pytest.mark.parametrize(
	("verify", "mode"),
	[
		("1", VerifyMode.FINGER),
		("4", VerifyMode.CARD),
		("15", VerifyMode.FACE),
		("17", VerifyMode.MULTIPLE),
		("0", VerifyMode.UNKNOWN),
		("200", VerifyMode.UNKNOWN),
		("0000000000000010", VerifyMode.FACE),
		("0000000000010000", VerifyMode.FINGER),
		("0000001000000000", VerifyMode.PASSWORD),
		("0000101000000011", VerifyMode.MULTIPLE),
		("", VerifyMode.UNKNOWN),
	],
)
def test_ways_to_identify_of_an_access_terminal(verify: str, mode: VerifyMode) -> None:
	found = read_event(f"time=2026-03-01 08:00:00\tpin=7\tevent=0\tverifytype={verify}".encode())
	assert isinstance(found, Row)
	assert found.verify_mode is mode


@pytest.mark.parametrize(
	"line", [b"", b"x", b"event=0", b"pin=7", b"pin=7\tevent=x", b"time=\tpin=7\tevent=0"]
)
def test_events_that_say_too_little_are_kept_as_unreadable(line: bytes) -> None:
	assert isinstance(read_event(line), UnreadableRow)


@pytest.mark.parametrize("pin", ["", "0", "000"])
def test_the_terminal_itself_is_nobody(pin: str) -> None:
	assert read_event(f"time=2026-03-01 08:00:00\tpin={pin}\tevent=0".encode()) is NotAPunch.DEVICE


# time


@pytest.mark.parametrize(
	("zone", "offset", "said"),
	[
		("Asia/Dubai", 240, "4"),
		("Asia/Kolkata", 330, "330"),
		("Asia/Kathmandu", 345, "345"),
		("America/St_Johns", -210, "-210"),
		("America/New_York", -300, "-5"),
		("UTC", 0, "0"),
		("Pacific/Auckland", 780, "780"),
		("Pacific/Kiritimati", 840, "840"),
		("Etc/GMT-11", 660, "11"),
		("Etc/GMT-12", 720, "720"),
		("Etc/GMT+12", -720, "-720"),
	],
)
def test_the_offset_in_hours_or_in_minutes(zone: str, offset: int, said: str) -> None:
	assert replies.time_zone_option(ZoneInfo(zone), NOW) == (offset, said)


def test_the_offset_follows_the_season() -> None:
	summer = datetime(2026, 7, 1, tzinfo=timezone.utc)
	assert replies.time_zone_option(BERLIN, NOW)[1] == "1"
	assert replies.time_zone_option(BERLIN, summer)[1] == "2"


def pushed(walls: Sequence[str], held: Sequence[Punch] = ()) -> list[Punch]:
	read = [attlog(f"7\t{wall}\t0\t1".encode()) for wall in walls]
	return place(
		read, "A1", BERLIN, lambda first, last: [each for each in held if first <= each.wall_time <= last]
	)


def test_the_repeated_hour_by_the_order_of_the_pushes() -> None:
	"""Clocks go back from 03:00 to 02:00 on 2026-10-25."""
	first = pushed(["2026-10-25 02:10:00", "2026-10-25 02:50:00"])
	second = pushed(["2026-10-25 02:05:00"], first)
	assert [each.occurred_at.fold for each in (*first, *second)] == [0, 0, 1]


def test_a_log_that_is_sent_again_brings_the_same_punches() -> None:
	walls = ["2026-10-25 02:10:00", "2026-10-25 02:50:00", "2026-10-25 02:05:00", "2026-10-25 03:01:00"]
	held: list[Punch] = []
	for wall in walls:
		held += pushed([wall], held)
	again = pushed(walls, held)
	assert {each.punch_id for each in again} == {each.punch_id for each in held}
	assert len({each.punch_id for each in held}) == 4


def test_outside_of_it_nobody_is_asked_what_is_held() -> None:
	def refuse(_first: datetime, _last: datetime) -> Sequence[Punch]:
		raise AssertionError

	(punch,) = place([attlog(b"7\t2026-10-24 02:10:00")], "A1", BERLIN, refuse)
	assert punch.occurred_at.fold == 0


def test_the_number_of_a_time_and_back() -> None:
	for wall in (datetime(2000, 1, 1), datetime(2026, 11, 26, 23, 59, 58), datetime(2031, 12, 31)):
		assert wall_time(commands.encode_time(wall)) == wall


def test_the_same_punch_by_both_roads_has_one_identity() -> None:
	"""A record of port 4370 and a line of ATTLOG of one terminal."""
	from attendance_bridge.drivers.zkteco_tcp.records import TextIds, Timeline, open_log

	wall = datetime(2026, 3, 1, 8, 0, 5)
	for pin in ("007", "1", "E7", "Zoë"):
		record = (
			b"\x01\x00"
			+ pin.encode().ljust(24, b"\0")
			+ b"\x01"
			+ commands.encode_time(wall).to_bytes(4, "little")
			+ b"\x00"
			+ bytes(8)
		)
		log = open_log(len(record).to_bytes(4, "little") + record, held=1, latest_year=2027)
		assert log is not None
		(pulled,), _unreadable = log.read(
			0, 1, serial="A1", name_of=TextIds("utf-8"), timeline=Timeline(BERLIN)
		)
		(live,) = place(
			[attlog(f"{pin}\t{wall:%Y-%m-%d %H:%M:%S}\t0\t1".encode())], "A1", BERLIN, nothing_held
		)
		assert live.punch_id == pulled.punch_id
		assert (live.device_key, live.verify_mode) == (pulled.device_key, pulled.verify_mode)


# calls


@pytest.mark.parametrize(
	("path", "token"),
	[
		("/iclock/cdata", ""),
		("/iclock/cdata/", ""),
		("/iclock/cdata.aspx", ""),
		("/iclock/a-token_1/cdata", "a-token_1"),
		("/a-token_1/iclock/cdata", "a-token_1"),
	],
)
def test_paths(path: str, token: str) -> None:
	head = read_head("GET", path, "SN=A1&options=all")
	assert (head.endpoint, head.token, head.serial) == (Endpoint.CDATA, token, "A1")
	assert token not in repr(head) or not token


@pytest.mark.parametrize(
	"path",
	[
		"/",
		"/iclock",
		"/cdata",
		"/iclock/x/y/cdata",
		"/iclock/a%2Fb/cdata",
		"/x/y",
		"/iclock/a b/cdata",
		"/ICLOCK/cdata",
	],
)
def test_paths_that_are_none(path: str) -> None:
	with pytest.raises(BadCallError) as refused:
		read_head("GET", path, "SN=A1")
	assert refused.value.status == 404


@pytest.mark.parametrize(
	("endpoint", "query", "dialect"),
	[
		("cdata", "SN=A1&DeviceType=acc", Dialect.SECURITY),
		("cdata", "SN=A1&devicetype=att", Dialect.ATTENDANCE),
		("cdata", "SN=A1&DeviceType=middle%20east&table=rtlog", Dialect.ATTENDANCE),
		("cdata", "SN=A1&table=rtlog", Dialect.SECURITY),
		("cdata", "SN=A1&table=RTLOG", Dialect.SECURITY),
		("cdata", "SN=A1&table=ATTLOG", Dialect.ATTENDANCE),
		("registry", "SN=A1", Dialect.SECURITY),
		("cdata", "SN=A1&pushver=3.1.2", None),
		("getrequest", "SN=A1", None),
	],
)
def test_the_dialect_by_what_is_said(endpoint: str, query: str, dialect: Dialect | None) -> None:
	assert read_head("GET", f"/iclock/{endpoint}", query).dialect is dialect


def test_facts_are_bounded_and_printable() -> None:
	facts = read_facts(
		b"DeviceType=acc,~DeviceName=F22\x07"
		+ b"x" * 5000
		+ b",MAC=00:17:61:11:ad:4f,authKey=secret,\r\nUserCount=7",
		b",",
	)
	assert len(facts.model) == 100
	assert facts.mac == "00:17:61:11:AD:4F"
	assert facts.users_held == 7
	assert "secret" not in repr(facts)
	assert read_facts(b"", b",") == Facts()


def test_lines_and_fields() -> None:
	assert list(lines(b"\r\na\r\n\n b\0\n")) == [b"a", b" b"]
	assert list(lines(b"a\rb\r\rc")) == [b"a", b"b", b"c"], "each is a record"
	assert fields(b"~A=1\tb=x=y\tnothing\tA=2") == {"a": "1", "b": "x=y"}
	assert [number(text) for text in ("7", "-7", "", "1e3", "٣", "9" * 11)] == [7, -7, None, None, None, None]


@pytest.mark.parametrize(
	("body", "expected"),
	[
		(b"ID=1&Return=0&CMD=DATA\nID=2&Return=-1&CMD=CHECK\n", [(1, 0, "DATA"), (2, -1, "CHECK")]),
		(b"ID=1\r\nReturn=0\r\nCMD=REBOOT\r\n", [(1, 0, "REBOOT")]),
		(b"ID=1\nReturn=0\nCMD=INFO\n~DeviceName=K40\nID=2\nReturn=-2", [(1, 0, "INFO"), (2, -2, "")]),
		(b"ID=1\nCMD=CHECK\nReturn=5\nReturn=-7", [(1, 5, "CHECK")]),
		(b"ID=1\n~DeviceName=K40", []),
		(b"Return=0\nCMD=INFO\n~DeviceName=K40", []),
	],
)
def test_results_in_one_line_or_in_three(body: bytes, expected: list[tuple[int, int, str]]) -> None:
	head = read_head("POST", "/iclock/devicecmd", "SN=A1")
	message = read_message(head, Request(method="POST", path="/iclock/devicecmd", query="SN=A1", body=body))
	assert isinstance(message, CommandResults)
	assert [(each.id, each.code, each.said) for each in message.outcomes] == expected
	assert (message.facts is not None and message.facts.model == "K40") is (b"K40" in body)


# replies


def test_the_option_block_of_new_and_of_old_firmware() -> None:
	stamps = [Stamp(table=Table.ATTLOG, value="9999")]
	_offset, new = replies.option_block("A1", ZoneInfo("Asia/Kolkata"), stamps, NOW, is_old=False)
	options = dict(line.split("=", 1) for line in new.splitlines()[1:])
	assert new.startswith("GET OPTION FROM: A1\n")
	assert (options["ATTLOGStamp"], options["OPERLOGStamp"]) == ("9999", "9999")
	assert options["TransFlag"] == "TransData AttLog\tOpLog", "no people, no templates, no pictures"
	assert (options["TimeZone"], options["Realtime"], options["Encrypt"]) == ("330", "1", "0")
	_offset, old = replies.option_block("A1", ZoneInfo("Asia/Kolkata"), stamps, NOW, is_old=True)
	assert "Stamp=9999\nOpStamp=9999\n" in old
	assert "TransFlag=1100000000\n" in old


# commands


def test_no_command_of_the_operating_system_can_be_made() -> None:
	made = [name for name, _each in inspect.getmembers(commands, inspect.isfunction)]
	assert not any("shell" in name.lower() for name in made)
	for text in (
		"SHELL reboot",
		"Shell ls",
		"shell ls",
		"INFO\nC:2:SHELL ls",
		"REBOOT ",
		"",
		"PutFile /etc/passwd",
	):
		with pytest.raises(ValueError, match="not a command"):
			commands.on_the_wire((Order(id=1, text=text),))


@pytest.mark.parametrize("dialect", list(Dialect))
def test_every_command_that_is_made_can_be_sent(dialect: Dialect) -> None:
	start = datetime(2026, 3, 1)
	made = [
		commands.reboot(dialect),
		commands.tell_of_yourself(dialect),
		commands.send_punches(dialect, start, start + timedelta(days=1)),
		commands.forget_user(dialect, "007"),
	]
	for text in made:
		assert commands.on_the_wire((Order(id=5, text=text),)) == f"C:5:{text}\n"
	assert commands.set_clock(Dialect.SECURITY, datetime(2018, 9, 20, 9, 48, 14)).startswith(
		"SET OPTIONS DateTime="
	)


@pytest.mark.parametrize("pin", ["", "7\t", "7\nC:2:REBOOT", "7 8", "7=8", "1" * 25])
def test_an_id_is_checked_before_it_stands_in_a_command(pin: str) -> None:
	with pytest.raises(ValueError, match="letters and digits"):
		commands.forget_user(Dialect.ATTENDANCE, pin)


# who calls


def test_a_change_of_address_is_no_twin() -> None:
	seen = Sightings()
	at = NOW
	for number_of_call in range(40):
		seen = seen.seen("192.0.2.1" if number_of_call < 20 else "192.0.2.2", "", at)
		at += timedelta(seconds=10)
	assert not seen.is_twin(at)


def test_a_line_that_fails_over_once_and_back_is_no_twin() -> None:
	seen = Sightings()
	for number_of_call, peer in enumerate(["192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.1"]):
		seen = seen.seen(peer, "", NOW + timedelta(seconds=10 * number_of_call))
	assert not seen.is_twin(NOW + timedelta(minutes=1))


def test_two_that_call_in_turn_are_twins_until_one_is_gone_for_a_day() -> None:
	seen = Sightings()
	at = NOW
	for number_of_call in range(8):
		seen = Sightings.from_text(seen.seen(f"192.0.2.{number_of_call % 2}", "", at).to_text())
		at += timedelta(seconds=10)
	assert seen.is_twin(at)
	assert not seen.is_twin(at + timedelta(days=2))
	assert len(seen.to_text()) < 500


@pytest.mark.parametrize(
	"text", ["", "null", "[]", '["a"]', "{}", "[1,2,3,4,5]", '["","",[1e400],[],0]', "[" * 300]
)
def test_a_text_that_is_no_sighting_is_none(text: str) -> None:
	assert Sightings.from_text(text) == Sightings()


def test_an_allowance_is_used_up_and_refilled() -> None:
	allowance = Allowance(burst=3, per_second=0.5)
	assert [allowance.take("a", NOW) for _time in range(4)] == [True, True, True, False]
	assert allowance.take("b", NOW)
	assert not allowance.take("a", NOW - timedelta(hours=1)), "a clock that was set back refills nothing"
	assert allowance.take("a", NOW + timedelta(seconds=2))


# the driver


def test_nobody_can_call_it() -> None:
	driver_class = drivers.load("zkteco_adms")
	assert not driver_class.spec.pulled
	with (
		driver_class(Config(), zone=BERLIN, now=lambda: NOW) as driver,
		pytest.raises(DeviceError) as refused,
	):
		driver.identify()
	assert refused.value.code is Code.NOT_SUPPORTED


def test_options_are_checked() -> None:
	assert len(parse_networks("192.168.1.0/24, 10.0.0.7 fe80::/10")) == 3
	for text in ("300.1.1.1", "10.0.0.0/33", "gate", " ".join(["10.0.0.1"] * 21)):
		with pytest.raises(ValueError, match="networks"):
			parse_networks(text)
	for token in ("short", "a" * 129, "with/slash-and-more", "blank blank blank blank"):
		with pytest.raises(ValueError, match="token") as refused:
			check_token(Secret(token))
		assert token not in str(refused.value)
