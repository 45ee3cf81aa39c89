"""The parsers of the ZKTeco driver, table by table and on any bytes."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.core.punch import DeviceKey, Punch, VerifyMode
from attendance_bridge.drivers.zkteco_tcp.records import (
	BYTES_8,
	BYTES_8_MA300,
	BYTES_16,
	BYTES_40,
	BYTES_49,
	LAYOUTS,
	Layout,
	Log,
	NameOf,
	TextIds,
	Timeline,
	open_log,
	wall_time,
)
from attendance_bridge.drivers.zkteco_tcp.users import Users, read_users

DUBAI = ZoneInfo("Asia/Dubai")
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, 7, 59, 30)  # wall time
LATEST_YEAR = 2027


def encode(moment: datetime) -> int:
	"""The terminal's 32-bit time, by the formula of pyzk's `__encode_time`."""
	days = ((moment.year - 2000) * 12 + moment.month - 1) * 31 + moment.day - 1
	return days * 86_400 + moment.hour * 3600 + moment.minute * 60 + moment.second


FEBRUARY_31 = ((26 * 12 + 1) * 31 + 30) * 86_400

# Records as they come over the wire, packed by hand.


def row_8(uid: int, time: int, verify: int = 1, key: int = 0) -> bytes:
	return struct.pack("<HBIB", uid, verify, time, key)


def row_ma300(uid: int, time: int, verify: int = 8, key: int = 0) -> bytes:
	return struct.pack("<HBBI", uid, key << 4 | verify, 0, time)


def row_16(number: int, time: int, verify: int = 1, key: int = 0) -> bytes:
	return struct.pack("<IIBB2sI", number, time, verify, key, b"", 0)


def row_40(user_id: bytes, time: int, verify: int = 1, key: int = 0, uid: int = 9) -> bytes:
	return struct.pack("<H24sBIB", uid, user_id, verify, time, key) + bytes.fromhex("00000000ff000000")


def row_49(user_id: bytes, time: int, verify: int = 1, key: int = 0) -> bytes:
	return row_40(user_id, time, verify, key) + bytes(9)


def dump(rows: Sequence[bytes]) -> bytes:
	"""Rows with the leading size, as they are transferred."""
	body = b"".join(rows)
	return struct.pack("<I", len(body)) + body


def opened(rows: Sequence[bytes], layout: Layout) -> Log:
	return Log(records=memoryview(b"".join(rows)), layout=layout)


def read(log: Log, name_of: NameOf | None = None) -> tuple[list[Punch], list[UnreadableRow]]:
	return log.read(0, len(log), serial="S1", name_of=name_of or TextIds("utf-8"), timeline=Timeline(DUBAI))


# --- one record


@pytest.mark.parametrize(
	("layout", "row", "user_id"),
	[
		(BYTES_8, row_8(42, encode(MONDAY), 15, 1), "42"),
		(BYTES_16, row_16(42, encode(MONDAY), 15, 1), "42"),
		(BYTES_40, row_40(b"0042", encode(MONDAY), 15, 1), "0042"),
		(BYTES_49, row_49(b"0042", encode(MONDAY), 15, 1), "0042"),
	],
	ids=lambda value: value.name if isinstance(value, Layout) else "",
)
def test_a_record_of_each_layout(layout: Layout, row: bytes, user_id: str) -> None:
	(punch,), unreadable = read(opened([row], layout))
	assert unreadable == []
	assert punch == Punch(
		device_serial="S1",
		device_user_id=user_id,
		occurred_at=MONDAY.replace(tzinfo=DUBAI),
		verify_mode=VerifyMode.FACE,
		device_key=DeviceKey.CHECK_OUT,
		raw=row.hex(),
	)


def test_a_record_of_zk_protocol() -> None:
	"""The example of adrobinoga/zk-protocol, data-record.md."""
	row = bytes.fromhex("0d00 393939313131333333" + "00" * 15 + "01 6bb36823 00 00000000ff000000")
	(punch,), _ = read(opened([row], BYTES_40))
	assert punch.device_user_id == "999111333"
	assert punch.verify_mode is VerifyMode.FINGER
	assert punch.device_key is DeviceKey.CHECK_IN
	assert encode(punch.wall_time) == 0x2368B36B


@pytest.mark.parametrize(
	("raw", "uid", "wall"),
	[
		("07002800a8eba71e", "7", datetime(2016, 1, 1, 19, 2, 0)),  # wall time
		("7b0028004beca71e", "123", datetime(2016, 1, 1, 19, 4, 43)),  # wall time
		("7b0028004eeca71e", "123", datetime(2016, 1, 1, 19, 4, 46)),  # wall time
	],
)
def test_a_record_of_a_zem500(raw: str, uid: str, wall: datetime) -> None:
	"""Records and their meaning as reported in pyzk#99, which gives the times in UTC, seven hours behind."""
	(punch,), _ = read(opened([bytes.fromhex(raw)], BYTES_8_MA300))
	assert (punch.device_user_id, punch.wall_time) == (uid, wall)
	assert (punch.verify_mode, punch.device_key) == (VerifyMode.UNKNOWN, DeviceKey.BREAK_OUT)


@pytest.mark.parametrize(
	("code", "mode"),
	[
		(0, VerifyMode.PASSWORD),
		(1, VerifyMode.FINGER),
		(2, VerifyMode.CARD),
		(3, VerifyMode.PASSWORD),
		(4, VerifyMode.CARD),
		(15, VerifyMode.FACE),
		(25, VerifyMode.PALM),
		(16, VerifyMode.UNKNOWN),
		(255, VerifyMode.UNKNOWN),
	],
)
def test_verify_codes(code: int, mode: VerifyMode) -> None:
	(punch,), _ = read(opened([row_40(b"1", encode(MONDAY), verify=code)], BYTES_40))
	assert punch.verify_mode is mode


@pytest.mark.parametrize(
	("code", "key"),
	[
		(0, DeviceKey.CHECK_IN),
		(1, DeviceKey.CHECK_OUT),
		(2, DeviceKey.BREAK_OUT),
		(3, DeviceKey.BREAK_IN),
		(4, DeviceKey.OVERTIME_IN),
		(5, DeviceKey.OVERTIME_OUT),
		(6, DeviceKey.UNDEFINED),
		(255, DeviceKey.UNDEFINED),
	],
)
def test_key_codes(code: int, key: DeviceKey) -> None:
	(punch,), _ = read(opened([row_40(b"1", encode(MONDAY), key=code)], BYTES_40))
	assert punch.device_key is key


@pytest.mark.parametrize(
	("stated", "encoding", "user_id"),
	[
		(b"7", "utf-8", "7"),
		(b"007", "utf-8", "007"),
		(b"A-17 b", "utf-8", "A-17 b"),
		(b"12\x00junk", "utf-8", "12"),
		(b"123456789012345678901234", "utf-8", "123456789012345678901234"),
		("محمد".encode(), "utf-8", "محمد"),
		("محمد".encode("cp1256"), "cp1256", "محمد"),
		("张三".encode("gb18030"), "gb18030", "张三"),
		(b"caf\xe9", "utf-8", "café"),
	],
)
def test_user_ids_stay_text(stated: bytes, encoding: str, user_id: str) -> None:
	log = opened([row_40(stated, encode(MONDAY))], BYTES_40)
	(punch,), _ = read(log, TextIds(encoding))
	assert punch.device_user_id == user_id


@pytest.mark.parametrize("stated", [b"", b"\x00123", b"\x01\x02", b"12\r\n", b"\xff\x81", b"\x7f"])
def test_what_is_no_user_id(stated: bytes) -> None:
	good, bad = row_40(b"5", encode(MONDAY)), row_40(stated, encode(MONDAY))
	punches, unreadable = read(opened([good, bad, good], BYTES_40))
	assert len(punches) == 2
	assert unreadable == [UnreadableRow(raw=bad.hex(), reason="bad_user_id")]


@pytest.mark.parametrize("row", [row_8(0, encode(MONDAY)), row_16(0, encode(MONDAY))])
def test_nobody_is_number_zero(row: bytes) -> None:
	log = opened([row], BYTES_8 if len(row) == 8 else BYTES_16)
	for name_of in (TextIds("utf-8"), Users().by_uid, Users().by_number):
		assert read(log, name_of) == ([], [UnreadableRow(raw=row.hex(), reason="bad_user_id")])


@pytest.mark.parametrize(
	("layout", "good", "bad"),
	[
		(BYTES_8, row_8(5, encode(MONDAY)), row_8(5, FEBRUARY_31)),
		(BYTES_8_MA300, row_ma300(5, encode(MONDAY)), row_ma300(5, FEBRUARY_31)),
		(BYTES_16, row_16(5, encode(MONDAY)), row_16(5, FEBRUARY_31)),
		(BYTES_40, row_40(b"5", encode(MONDAY)), row_40(b"5", FEBRUARY_31)),
		(BYTES_49, row_49(b"5", encode(MONDAY)), row_49(b"5", FEBRUARY_31)),
	],
	ids=lambda value: value.name if isinstance(value, Layout) else "",
)
def test_a_bad_date_loses_no_neighbour(layout: Layout, good: bytes, bad: bytes) -> None:
	punches, unreadable = read(opened([good, bad, good], layout))
	assert [punch.raw for punch in punches] == [good.hex()] * 2
	assert unreadable == [UnreadableRow(raw=bad.hex(), reason="bad_date")]


@given(st.datetimes(datetime(2000, 1, 1), datetime(2133, 1, 1)))  # wall time
def test_times_come_back(moment: datetime) -> None:
	assert wall_time(encode(moment)) == moment.replace(microsecond=0)


@given(st.integers(0, 2**32 - 1))
def test_any_time_is_a_wall_time_or_none(encoded: int) -> None:
	moment = wall_time(encoded)
	assert moment is None or encode(moment) == encoded


# --- which layout


def many(make: str, count: int) -> list[bytes]:
	"""`count` likely records of a layout."""
	rows: list[bytes] = []
	for number in range(count):
		time = encode(MONDAY + timedelta(minutes=number))
		user_id = str(1001 + number % 50)
		rows.append(
			{
				"8": lambda n=number, t=time: row_8(1 + n % 50, t, 1, n % 6),
				"8 MA300": lambda n=number, t=time: row_ma300(1 + n % 50, t, 8, n % 6),
				"16": lambda i=user_id, t=time, n=number: row_16(int(i), t, 1, n % 6),
				"40": lambda i=user_id, t=time: row_40(i.encode(), t, 15),
				"49": lambda i=user_id, t=time: row_49(i.encode(), t, 255, 255),
			}[make]()
		)
	return rows


@pytest.mark.parametrize("name", [layout.name for layout in LAYOUTS])
@pytest.mark.parametrize("count", [1, 2, 5, 10, 40, 49, 98, 245, 1960])
@pytest.mark.parametrize("landed", [0, 1, 7, None], ids=lambda landed: f"landed-{landed}")
def test_the_layout_is_found(name: str, count: int, landed: int | None) -> None:
	"""Counts are chosen so that several sizes divide the log; `landed` punches came after the count."""
	held = None if landed is None else max(count - landed, 0)
	log = open_log(dump(many(name, count)), held=held, latest_year=LATEST_YEAR)
	assert log is not None
	assert (log.layout.name, len(log), log.missing) == (name, count, 0)


@pytest.mark.parametrize("name", [layout.name for layout in LAYOUTS if layout is not BYTES_8_MA300])
def test_a_terminal_that_lost_its_date_is_read_by_its_count(name: str) -> None:
	rows = {
		"8": row_8(7, 100),
		"16": row_16(7, 100),
		"40": row_40(b"7", 100),
		"49": row_49(b"7", 100),
	}
	log = open_log(dump([rows[name]] * 40), held=40, latest_year=LATEST_YEAR)
	assert log is not None
	assert log.layout.name == name


@pytest.mark.parametrize("size", [7, 12, 20, 32, 41, 44, 64])
def test_an_unknown_layout_is_not_guessed(size: int) -> None:
	"""The known sizes among its divisors, and those of the whole log, make no sense of it."""
	rows = [
		struct.pack("<HI", number + 1, encode(MONDAY + timedelta(minutes=7 * number))).ljust(size, b"\xaa")
		for number in range(200)
	]
	assert open_log(dump(rows), held=200, latest_year=LATEST_YEAR) is None


def test_a_log_with_bad_rows_is_still_recognised() -> None:
	rows = many("40", 30) + [row_40(b"", FEBRUARY_31)] * 20
	log = open_log(dump(rows), held=47, latest_year=LATEST_YEAR)
	assert log is not None
	assert (log.layout, len(log)) == (BYTES_40, 50)


@pytest.mark.parametrize("transferred", [b"", b"\x00", bytes(4)])
def test_an_empty_log(transferred: bytes) -> None:
	log = open_log(transferred, held=0, latest_year=LATEST_YEAR)
	assert log is not None
	assert (len(log), log.missing) == (0, 0)


def test_a_truncated_tail() -> None:
	whole = dump(many("40", 10))
	log = open_log(whole[:-25], held=10, latest_year=LATEST_YEAR)
	assert log is not None
	assert (log.layout, len(log), log.missing) == (BYTES_40, 9, 40)
	assert len(read(log)[0]) == 9


def test_a_log_of_which_nothing_came() -> None:
	log = open_log(struct.pack("<I", 4000), held=100, latest_year=LATEST_YEAR)
	assert log is not None
	assert (len(log), log.missing) == (0, 4000)


def test_a_wrong_size_before_whole_records() -> None:
	body = b"".join(many("40", 10))
	log = open_log(struct.pack("<I", len(body) + 4) + body, held=10, latest_year=LATEST_YEAR)
	assert log is not None
	assert (log.layout, len(log), log.missing) == (BYTES_40, 10, 4)


def test_padding_behind_the_log_is_not_read() -> None:
	log = open_log(dump(many("40", 10)) + bytes(40), held=10, latest_year=LATEST_YEAR)
	assert log is not None
	assert len(log) == 10


@given(st.binary(max_size=600), st.one_of(st.none(), st.integers(0, 80)))
def test_any_bytes_are_a_log_or_none(transferred: bytes, held: int | None) -> None:
	log = open_log(transferred, held=held, latest_year=LATEST_YEAR)
	if log is not None:
		_accounts_for_every_record(log)


@given(st.sampled_from(LAYOUTS), st.data())
def test_any_records_are_punches_or_unreadable(layout: Layout, data: st.DataObject) -> None:
	count = data.draw(st.integers(0, 12))
	body = data.draw(st.binary(min_size=count * layout.size, max_size=count * layout.size))
	_accounts_for_every_record(Log(records=memoryview(body), layout=layout))


def _accounts_for_every_record(log: Log) -> None:
	for name_of in (TextIds("utf-8"), TextIds("gb18030")):
		punches, unreadable = read(log, name_of)
		raws = sorted([punch.raw for punch in punches] + [row.raw for row in unreadable])
		size = log.layout.size
		assert raws == sorted(bytes(log.records[at * size :][:size]).hex() for at in range(len(log)))


@given(st.lists(st.binary(max_size=24), max_size=40))
def test_different_ids_stay_different(stated: list[bytes]) -> None:
	"""Bytes before the NUL decide; whatever is read as text could be read back."""
	name_of = TextIds("utf-8")
	for who in stated:
		name = name_of(who)
		before_nul = who.split(b"\x00")[0]
		assert name is None or before_nul in (name.encode(), name.encode("latin-1", "replace"))


def test_ids_that_never_repeat_do_not_fill_the_memory() -> None:
	name_of = TextIds("utf-8")
	for number in range(20_000):
		assert name_of(str(number).encode()) == str(number)
	assert len(name_of._known) <= 4096


# --- the repeated hour: 25 October 2026, 03:00 becomes 02:00 in Berlin


def at(hour: int, minute: int, *, day: int = 25, year: int = 2026) -> datetime:
	return datetime(year, 10, day, hour, minute)  # wall time


@pytest.mark.parametrize(
	("walls", "folds"),
	[
		([at(1, 50), at(2, 10), at(2, 50), at(3, 5)], [0, 0, 0, 0]),
		([at(2, 10), at(2, 50), at(2, 5), at(2, 40), at(3, 1)], [0, 0, 1, 1, 0]),
		([at(2, 50), at(2, 50)], [0, 0]),
		# Somebody set the clock back by a day, or by a year: no change of the clock does that.
		([at(8, 0, day=26), at(2, 30)], [0, 0]),
		([at(2, 50), at(2, 5), at(2, 5, day=31, year=2027)], [0, 1, 0]),
	],
)
def test_the_order_of_the_log_tells_the_pass(walls: list[datetime], folds: list[int]) -> None:
	timeline = Timeline(BERLIN)
	assert [timeline.place(wall).fold for wall in walls] == folds


@given(st.lists(st.integers(0, 200), min_size=1, max_size=30), st.data())
def test_the_pass_does_not_depend_on_where_reading_begins(minutes: list[int], data: st.DataObject) -> None:
	walls = [at(1, 0) + timedelta(minutes=minute) for minute in minutes]
	log = opened([row_40(b"1", encode(wall)) for wall in walls], BYTES_40)
	name_of = TextIds("utf-8")

	def moments(first: int) -> list[tuple[datetime, int]]:
		timeline = Timeline(BERLIN, log.walls_before(first))
		punches, _ = log.read(first, len(log), serial="S1", name_of=name_of, timeline=timeline)
		return [(punch.wall_time, punch.occurred_at.fold) for punch in punches]

	first = data.draw(st.integers(0, len(walls)))
	assert moments(first) == moments(0)[first:]


# --- users


def user_28(uid: int, number: int) -> bytes:
	return struct.pack("<HB5s8sIxBhI", uid, 0, b"pw", b"Somebody", 0, 1, 0, number)


def user_72(uid: int, user_id: bytes) -> bytes:
	return struct.pack("<HB8s24sIx7sx24s", uid, 0, b"pw", b"Somebody", 0, b"1", user_id)


@pytest.mark.parametrize("held", [2, None])
def test_users_of_28_bytes(held: int | None) -> None:
	users = read_users(dump([user_28(1, 7), user_28(2, 1001)]), held=held, encoding="utf-8")
	assert users is not None
	assert [users.by_uid(uid) for uid in (1, 2, 3)] == ["7", "1001", "3"]


@pytest.mark.parametrize("held", [3, None])
def test_users_of_72_bytes(held: int | None) -> None:
	rows = [user_72(1, b"007"), user_72(2, b""), user_72(1, b"later")]
	users = read_users(dump(rows), held=held, encoding="utf-8")
	assert users is not None
	assert [users.by_uid(uid) for uid in (1, 2)] == ["007", "2"]


@pytest.mark.parametrize(("count", "shape"), [(18, "short"), (7, "long")])
def test_a_list_that_could_be_either_goes_by_the_count(count: int, shape: str) -> None:
	rows = [
		user_28(number, 100 + number) if shape == "short" else user_72(number, b"%d" % (100 + number))
		for number in range(1, count + 1)
	]
	users = read_users(dump(rows), held=count, encoding="utf-8")
	assert users is not None
	assert [users.by_uid(uid) for uid in (1, 2, 7)] == ["101", "102", "107"]


def test_leading_zeros_come_back_when_one_user_is_meant() -> None:
	users = Users(((1, "007"), (2, "0012"), (3, "12"), (4, "A5"), (5, "٣")))
	assert users.by_number(7) == "007"
	assert users.by_number(12) == "12"  # two users: the number as it stands
	assert users.by_number(5) == "5"
	assert users.by_number(3) == "3"
	assert users.by_number(99) == "99"


def test_users_of_an_unknown_size() -> None:
	assert read_users(dump([bytes(30)]), held=1, encoding="utf-8") is None


@given(st.binary(max_size=600), st.one_of(st.none(), st.integers(0, 20)))
def test_any_bytes_are_users_or_none(transferred: bytes, held: int | None) -> None:
	users = read_users(transferred, held=held, encoding="utf-8")
	if users is not None:
		assert all(users.by_uid(uid) for uid in range(1, 20))
