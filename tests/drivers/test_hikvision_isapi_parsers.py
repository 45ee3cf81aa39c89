"""What the Hikvision driver makes of bytes, rows, times and challenges: tables, and anything at all."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attendance_bridge.core.config import describe, parse
from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.core.errors import Code, ConfigError, DeviceError
from attendance_bridge.core.punch import DeviceKey, VerifyMode
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.hikvision_isapi import digest
from attendance_bridge.drivers.hikvision_isapi.config import Config
from attendance_bridge.drivers.hikvision_isapi.documents import (
	XmlDocument,
	find_failure,
	find_login_state,
	read_document,
	whole_number,
)
from attendance_bridge.drivers.hikvision_isapi.events import PASSED, RowReader, raw_text, read_result_page
from attendance_bridge.drivers.hikvision_isapi.limits import Limits, read_capacity, read_limits
from attendance_bridge.drivers.hikvision_isapi.place import Anchor, Place, read_place
from attendance_bridge.drivers.hikvision_isapi.times import Stamp, posix_zone, read_stamp, stamp_of

DUBAI = ZoneInfo("Asia/Dubai")
BERLIN = ZoneInfo("Europe/Berlin")

ROW: dict[str, Any] = {
	"major": 5,
	"minor": 75,
	"time": "2026-03-02T08:01:02+04:00",
	"employeeNoString": "0042",
	"serialNo": 17,
	"name": "سالم",
	"attendanceStatus": "checkIn",
	"currentVerifyMode": "cardOrFace",
	"pictureURL": "http://192.0.2.7/LOCALS/pic/acsLinkCap/1.jpeg@WEB000000000123",
}


def reader(zone: ZoneInfo = DUBAI, minor: int = 0) -> RowReader:
	return RowReader(device_serial="DS-1", zone=zone, minor=minor)


anything = st.recursive(
	st.none() | st.booleans() | st.integers() | st.text() | st.floats(),
	lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
	max_leaves=20,
)
fields = st.sampled_from(
	["major", "minor", "time", "employeeNoString", "employeeNo", "serialNo", "attendanceStatus", "pictureURL"]
)
times = st.datetimes().map(lambda moment: moment.isoformat()) | st.text() | st.just("2026-10-25T02:30:00")
rows = st.dictionaries(fields | st.text(), anything | times | st.sampled_from([5, 75, 38, "75", "0042"]))


class TestRow:
	def test_a_punch(self) -> None:
		row = reader().read(ROW)
		assert (row.serial, row.time, row.unreadable) == (17, ROW["time"], None)
		punch = row.punch
		assert punch is not None
		assert (punch.device_serial, punch.device_user_id) == ("DS-1", "0042")
		assert punch.occurred_at == datetime(2026, 3, 2, 8, 1, 2, tzinfo=DUBAI)
		assert (punch.verify_mode, punch.device_key) == (VerifyMode.FACE, DeviceKey.CHECK_IN)

	def test_raw_keeps_the_row_without_the_picture(self) -> None:
		punch = reader().read(ROW).punch
		assert punch is not None
		kept = json.loads(punch.raw)
		assert (kept["name"], kept["currentVerifyMode"]) == ("سالم", "cardOrFace")
		assert "WEB000000000123" not in punch.raw
		assert "192.0.2.7" not in punch.raw

	@pytest.mark.parametrize("minor", sorted(PASSED))
	def test_every_pass_is_a_punch(self, minor: int) -> None:
		punch = reader().read(ROW | {"minor": minor}).punch
		assert punch is not None
		assert punch.verify_mode is PASSED[minor] is not VerifyMode.UNKNOWN

	@pytest.mark.parametrize(
		"change",
		[
			*({"minor": minor} for minor in range(256) if minor not in PASSED),
			{"minor": None},
			{"minor": "face"},
			{"minor": 75.0},
			{"minor": True},
			{"major": 2},
			{"major": None},
			{"employeeNoString": ""},
			{"employeeNoString": None},
			{"employeeNoString": None, "employeeNo": 0},
		],
	)
	def test_anything_else_is_none_and_no_trouble(self, change: dict[str, Any]) -> None:
		row = reader().read(ROW | change)
		assert (row.punch, row.unreadable, row.serial) == (None, None, 17)

	def test_only_the_chosen_minor(self) -> None:
		assert reader(minor=38).read(ROW).punch is None
		assert reader(minor=38).read(ROW | {"minor": 38}).punch is not None

	@pytest.mark.parametrize(
		("given", "text"),
		[
			("7", "7"),
			("007", "007"),
			(7, "7"),
			(" 7", " 7"),
			("٧", "٧"),
			("A-9", "A-9"),
			("0", "0"),
			(0, "0"),
		],
	)
	def test_the_employee_number_stays_text(self, given: object, text: str) -> None:
		punch = reader().read(ROW | {"employeeNoString": given}).punch
		assert punch is not None
		assert punch.device_user_id == text

	def test_the_numeric_field_of_old_firmware(self) -> None:
		old = {key: value for key, value in ROW.items() if key != "employeeNoString"} | {"employeeNo": 31}
		punch = reader().read(old).punch
		assert punch is not None
		assert punch.device_user_id == "31"

	@pytest.mark.parametrize(
		"bad", ["9" * 65, "4\n2", "4\x002", "4" + chr(0xD800), "4\ufffd2", ["42"], {"id": 42}, True, 4.2]
	)
	def test_an_impossible_employee_number(self, bad: object) -> None:
		row = reader().read(ROW | {"employeeNoString": bad})
		assert row.punch is None
		assert row.unreadable is not None
		assert row.unreadable.reason == "bad_user_id"
		row.unreadable.raw.encode()  # can be stored

	@pytest.mark.parametrize(
		"bad", ["2026-02-30T08:00:00+04:00", "0000-00-00T00:00:00", "", None, 1772424062, "yesterday", ["x"]]
	)
	def test_an_impossible_time(self, bad: object) -> None:
		row = reader().read(ROW | {"time": bad})
		assert row.unreadable is not None
		assert (row.punch, row.unreadable.reason, row.serial) == (None, "bad_date", 17)

	@pytest.mark.parametrize("record", [None, 7, "row", ["row"], "x" * 100_000, True])
	def test_no_row_at_all(self, record: object) -> None:
		unreadable = reader().read(record).unreadable
		assert unreadable is not None
		assert unreadable.reason == "bad_record"
		assert len(unreadable.raw) <= 500

	@pytest.mark.parametrize(
		("status", "key"),
		[
			("checkIn", DeviceKey.CHECK_IN),
			("checkOut", DeviceKey.CHECK_OUT),
			("breakOut", DeviceKey.BREAK_OUT),
			("breakIn", DeviceKey.BREAK_IN),
			("overtimeIn", DeviceKey.OVERTIME_IN),
			("overTimeOut", DeviceKey.OVERTIME_OUT),
			("undefined", DeviceKey.UNDEFINED),
			("", DeviceKey.UNDEFINED),
			(None, DeviceKey.UNDEFINED),
			(1, DeviceKey.UNDEFINED),
		],
	)
	def test_the_attendance_key(self, status: object, key: DeviceKey) -> None:
		punch = reader().read(ROW | {"attendanceStatus": status}).punch
		assert punch is not None
		assert punch.device_key is key

	def test_the_repeated_hour_by_offset(self) -> None:
		read = reader(BERLIN)
		folds = [
			row.punch.occurred_at.fold
			for offset in ("+02:00", "+01:00", "+02:00")
			if (row := read.read(ROW | {"time": f"2026-10-25T02:30:00{offset}"})).punch
		]
		assert folds == [0, 1, 0]

	def test_the_repeated_hour_by_order(self) -> None:
		read = reader(BERLIN)
		walls = ["01:50", "02:10", "02:50", "02:05", "02:40", "03:10"]
		rows = [read.read(ROW | {"time": f"2026-10-25T{wall}:00"}) for wall in walls]
		assert [row.fold for row in rows] == [0, 0, 0, 1, 1, 0]

	def test_the_repeated_hour_by_order_goes_on_after_a_pause(self) -> None:
		read = reader(BERLIN)
		read.read(ROW | {"time": "2026-10-25T02:05:00"})
		read.resume_in(fold=1)
		assert read.read(ROW | {"time": "2026-10-25T02:40:00"}).fold == 1

	@given(rows | anything)
	def test_never_an_exception_and_always_bounded(self, record: Any) -> None:
		row = reader(BERLIN).read(record)
		assert row.punch is None or row.unreadable is None
		assert len(row.time) <= 40
		for raw in (row.punch.raw if row.punch else "", row.unreadable.raw if row.unreadable else ""):
			assert len(raw) <= 2000
			raw.encode()
		if row.punch:
			_ = row.punch.punch_id, row.punch.occurred_utc

	@given(st.dictionaries(st.text(), anything), st.integers(20, 2000))
	def test_raw_is_json_and_within_the_limit(self, record: dict[str, Any], limit: int) -> None:
		raw = raw_text({**record, "pad": "x" * 5000}, limit)
		assert isinstance(json.loads(raw), dict)
		assert len(raw) <= limit

	def test_raw_hides_secrets_however_deep(self) -> None:
		raw = raw_text({"a": {"visibleLightURL": "http://x/secret"}, "password": "secret", "b": 1}, 2000)
		assert "secret" not in raw
		assert '"b":1' in raw


class TestResultPage:
	@pytest.mark.parametrize(
		("info", "count"),
		[
			(None, 0),
			([], 0),
			([ROW, ROW], 2),
			(ROW, 1),
			({"AcsEventInfo": [ROW, ROW]}, 2),
			({"AcsEventInfo": ROW}, 1),
			({"AcsEventInfo": None}, 0),
			([None, 3, ROW], 3),
		],
	)
	def test_the_shapes_of_the_list(self, info: object, count: int) -> None:
		assert len(read_result_page({"AcsEvent": {"InfoList": info}}).rows) == count

	@pytest.mark.parametrize(
		("status", "total", "rows", "position", "ends"),
		[
			("OK", 30, 30, 30, True),
			("OK", 60, 30, 30, False),  # says OK, but announces more
			("OK", None, 30, 30, True),
			("MORE", 60, 30, 30, False),
			("MORE", 30, 30, 30, False),  # says MORE although all is here: ask once again
			("MORE", 60, 0, 30, True),  # an empty page is an end
			("NO MATCH", 0, 0, 0, True),
			("", 60, 30, 30, False),
			("", None, 30, 30, False),  # says nothing: until an empty page comes
		],
	)
	def test_the_end(self, status: str, total: int | None, rows: int, position: int, ends: bool) -> None:
		answer = {"responseStatusStrg": status, "totalMatches": total, "InfoList": [ROW] * rows}
		assert read_result_page({"AcsEvent": answer}).ends_at(position) is ends

	@pytest.mark.parametrize(
		"answer", [{}, {"AcsEvent": None}, {"AcsEvent": []}, {"AcsEvent": {"InfoList": 3}}]
	)
	def test_something_else(self, answer: dict[str, Any]) -> None:
		with pytest.raises(DeviceError) as caught:
			read_result_page(answer)
		assert caught.value.code is Code.GARBAGE

	def test_an_endless_page(self) -> None:
		with pytest.raises(DeviceError) as caught:
			read_result_page({"AcsEvent": {"InfoList": [{}] * 1001}})
		assert caught.value.code is Code.TOO_LARGE

	@given(st.dictionaries(st.just("AcsEvent"), anything) | st.dictionaries(st.text(), anything))
	def test_only_device_errors(self, answer: dict[str, Any]) -> None:
		try:
			read_result_page(answer)
		except DeviceError as error:
			assert error.code in (Code.GARBAGE, Code.TOO_LARGE)


class TestTimes:
	@pytest.mark.parametrize(
		("text", "wall", "offset"),
		[
			("2026-03-02T08:01:02+04:00", datetime(2026, 3, 2, 8, 1, 2), 240),
			("2026-03-02T08:01:02+0400", datetime(2026, 3, 2, 8, 1, 2), 240),
			("2026-03-02T08:01:02-03:30", datetime(2026, 3, 2, 8, 1, 2), -210),
			("2026-03-02T08:01:02Z", datetime(2026, 3, 2, 8, 1, 2), 0),
			("2026-03-02T08:01:02.999Z", datetime(2026, 3, 2, 8, 1, 2), 0),
			("2026-03-02T08:01:02", datetime(2026, 3, 2, 8, 1, 2), None),
			("2026-03-02T08:01:02.123456", datetime(2026, 3, 2, 8, 1, 2), None),
			("1970-01-01T00:00:00", datetime(1970, 1, 1), None),
		],
	)
	def test_the_forms(self, text: str, wall: datetime, offset: int | None) -> None:
		stamp = read_stamp(text)
		assert stamp == Stamp(wall, None if offset is None else timedelta(minutes=offset))

	@pytest.mark.parametrize(
		"text",
		[
			"2026-02-30T08:00:00",
			"2026-03-02T24:00:00",
			"2026-03-02T08:00:60",
			"2026-03-02 08:00:00",
			"2026-03-02T08:00",
			"2026-03-02T08:00:00+4:00",
			"2026-03-02T08:00:00+24:00",
			"2026-03-02T08:00:00+04:60",
			"2026-03-02T08:00:00+04:00 ",
			"٢٠٢٦-03-02T08:00:00",
			"1969-12-31T23:59:59",
			"9999-12-31T23:59:59",
			"",
			None,
			20260302,
		],
	)
	def test_no_time(self, text: object) -> None:
		assert read_stamp(text) is None

	@given(
		st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 31)), st.integers(-14 * 60, 14 * 60) | st.none()
	)
	def test_written_and_read_again(self, wall: datetime, minutes: int | None) -> None:
		stamp = Stamp(wall.replace(microsecond=0), None if minutes is None else timedelta(minutes=minutes))
		assert read_stamp(str(stamp)) == stamp

	def test_a_moment_in_the_terminals_own_terms(self) -> None:
		moment = datetime(2026, 3, 2, 4, 0, tzinfo=timezone.utc)
		assert str(stamp_of(moment, DUBAI)) == "2026-03-02T08:00:00+04:00"
		assert str(stamp_of(moment, DUBAI, timedelta(hours=8))) == "2026-03-02T08:00:00+08:00"

	@pytest.mark.parametrize(
		("minutes", "text"),
		[(180, "CST-3:00:00"), (-300, "CST+5:00:00"), (330, "CST-5:30:00"), (0, "CST-0:00:00")],
	)
	def test_the_sign_of_posix(self, minutes: int, text: str) -> None:
		assert posix_zone(timedelta(minutes=minutes)) == text


class TestDocuments:
	def test_both_namespaces_and_none(self) -> None:
		for namespace in (
			"http://www.isapi.org/ver20/XMLSchema",
			"http://www.hikvision.com/ver20/XMLSchema",
			"",
		):
			xmlns = f' xmlns="{namespace}"' if namespace else ""
			body = f'<?xml version="1.0"?><DeviceInfo{xmlns}><model> K1 </model></DeviceInfo>'.encode()
			assert read_document(body) == XmlDocument("DeviceInfo", namespace, {"model": "K1"})

	@pytest.mark.parametrize(
		("body", "retryable"),
		[
			(b"", False),
			(b"OK", False),
			(b"<!DOCTYPE html><html><body>router</body></html>", False),
			(b"<html></html>", False),
			(b'{"AcsEvent": {"InfoList": [', True),
			(b"<DeviceInfo><model>", True),
			(b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', True),
			(b'<?xml version="1.0" encoding="nonsense"?><a/>', True),
			(b'{"a":' * 100_000, True),
			(b"[1]", False),
			(b"\x00\xff\xfe", False),
		],
	)
	def test_garbage(self, body: bytes, retryable: bool) -> None:
		with pytest.raises(DeviceError) as caught:
			read_document(body)
		assert (caught.value.code, caught.value.retryable) == (Code.GARBAGE, retryable)

	@given(
		st.binary() | st.binary().map(lambda tail: b"{" + tail) | st.binary().map(lambda tail: b"<a>" + tail)
	)
	def test_only_device_errors(self, body: bytes) -> None:
		find_login_state(body)
		try:
			document = read_document(body)
		except DeviceError as error:
			assert error.code is Code.GARBAGE
		else:
			find_failure(document, 200)

	@given(anything)
	def test_any_json(self, value: Any) -> None:
		body = json.dumps({"ResponseStatus": value}).encode()
		find_failure(read_document(body), 200)
		find_login_state(body)

	def test_numbers_are_bounded_and_never_fractions(self) -> None:
		document = read_document(b'{"a": 1e999, "b": ' + b"9" * 5000 + b', "c": 1.5, "d": NaN, "e": 12}')
		assert isinstance(document, dict)
		assert document["a"] == "1e999"
		assert len(document["b"]) == 64
		assert (document["c"], document["d"], document["e"]) == ("1.5", None, 12)

	def test_a_damaged_name_costs_nothing(self) -> None:
		document = read_document(b'\xef\xbb\xbf{"name": "\xff\xfe", "serialNo": 3}')
		assert isinstance(document, dict)
		assert document["serialNo"] == 3

	@pytest.mark.parametrize(
		("status", "sub", "http", "code", "retryable"),
		[
			(2, "deviceBusy", 200, Code.BUSY, True),
			(2, "", 503, Code.BUSY, True),
			(3, "deviceError", 200, Code.DEVICE_ERROR, True),
			(4, "notSupport", 403, Code.NOT_SUPPORTED, False),
			(4, "methodNotAllowed", 400, Code.NOT_SUPPORTED, False),
			(4, "lowPrivilege", 200, Code.FORBIDDEN, False),
			(4, "invalidOperation", 403, Code.FORBIDDEN, False),
			(4, "invalidOperation", 400, Code.DEVICE_ERROR, False),
			(6, "MessageParametersLack", 400, Code.DEVICE_ERROR, False),
			(1, "ok", 500, Code.DEVICE_ERROR, False),
		],
	)
	def test_response_status(self, status: int, sub: str, http: int, code: Code, retryable: bool) -> None:
		flat = {"statusCode": status, "subStatusCode": sub, "errorMsg": "startTime"}
		tags = "".join(f"<{key}>{value}</{key}>" for key, value in flat.items())
		for body in (
			json.dumps(flat),
			json.dumps({"ResponseStatus": flat}),
			f'<ResponseStatus xmlns="http://www.hikvision.com/ver20/XMLSchema">{tags}</ResponseStatus>',
		):
			failure = find_failure(read_document(body.encode()), http)
			assert failure is not None
			assert (failure.code, failure.retryable) == (code, retryable)
			assert (failure.details["sub_status"], failure.details["message"]) == (sub, "startTime")

	@pytest.mark.parametrize("status", [0, 1, 7, "1"])
	def test_success(self, status: object) -> None:
		assert find_failure({"statusCode": status, "statusString": "OK"}, 200) is None

	def test_login_state(self) -> None:
		body = (
			b'<userCheck version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema"><statusValue>401</statusValue>'
			b"<lockStatus>lock</lockStatus><unlockTime>1800</unlockTime><retryLoginTime>0</retryLoginTime></userCheck>"
		)
		state = find_login_state(body)
		assert state is not None
		assert (state.locked, state.unlock_seconds, state.attempts_left) == (True, 1800, 0)
		assert find_login_state(b"<userCheck><statusValue>200</statusValue></userCheck>") is None
		assert find_login_state(b"Unauthorized") is None

	@pytest.mark.parametrize(
		("value", "number"),
		[
			(3, 3),
			("3", 3),
			("03", 3),
			(-1, None),
			(True, None),
			("x", None),
			("٣", None),
			("", None),
			(None, None),
		],
	)
	def test_whole_number(self, value: object, number: int | None) -> None:
		assert whole_number(value) == number


class TestLimits:
	def test_what_a_terminal_was_seen_to_say(self) -> None:
		condition = {
			"searchResultPosition": {"@min": 0, "@max": 300000},
			"maxResults": {"@min": 1, "@max": 24},
			"minorEvent": {"@opt": "1,6, 38,75,x"},
			"beginSerialNo": {"@min": 1, "@max": 3000000000},
		}
		expected = Limits(
			page_size=24, last_position=300_000, serial_search=True, minors=frozenset({1, 6, 38, 75})
		)
		assert read_limits({"AcsEvent": {"AcsEventCond": condition}}) == expected
		assert read_limits({"AcsEventCond": condition}) == expected

	@given(st.dictionaries(st.sampled_from(["AcsEvent", "AcsEventCond", "maxResults", "@max"]), anything))
	def test_anything(self, answer: dict[str, Any]) -> None:
		assert read_limits(answer).page_size > 0
		read_capacity(answer)

	def test_capacity(self) -> None:
		assert read_capacity({"AcsEvent": {"totalNum": {"@max": 100000}}}) == 100_000
		assert read_capacity({"AcsEventTotalNum": {"@max": 100000}}) == 100_000
		assert read_capacity({}) is None


class TestPlace:
	@pytest.mark.parametrize(
		"place",
		[
			Place(events="5/0"),
			Place(events="5/0", begin=9, anchor=Anchor(9, "2026-03-02T08:00:00+04:00", 1)),
			Place(events="5/0", begin=9, position=29, anchor=Anchor(38, "bad time"), in_order=False),
			Place(events="5/0", by_time=True, latest=Stamp(datetime(2026, 3, 2, 8), timedelta(hours=4))),
			Place(
				events="5/0",
				by_time=True,
				position=3,
				anchor=Anchor(None, "2026-03-02T08:00:00"),
				latest=Stamp(datetime(2026, 3, 2, 8)),
				since=Stamp(datetime(2026, 3, 2, 6, 30)),
			),
		],
	)
	def test_through_a_store_and_back(self, place: Place) -> None:
		assert read_place(Cursor.from_text(place.to_cursor().to_text()), "5/0") == place

	@given(
		st.dictionaries(
			st.sampled_from(["begin", "position", "serial", "time", "latest", "fold", "by_time", "since"]),
			st.integers() | st.text(),
		)
	)
	def test_any_cursor_is_a_place(self, position: dict[str, int | str]) -> None:
		place = read_place(Cursor({"events": "5/0", **position}), "5/0")
		assert place.begin >= 0
		assert place.position >= 0

	def test_a_foreign_cursor_is_the_beginning(self) -> None:
		for cursor in (START, Cursor({"records": 4}), Cursor({"events": "5/75", "begin": 3})):
			assert read_place(cursor, "5/0") == Place(events="5/0")


class TestDigest:
	RFC = (
		'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
		'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
		'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
	)

	@pytest.mark.parametrize(
		("algorithm", "response"),
		[
			("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
			("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
		],
	)
	def test_the_examples_of_rfc_7616(self, algorithm: str, response: str) -> None:
		(challenge,) = digest.read_challenges(self.RFC.format(algorithm=algorithm))
		proof = digest.authorization(
			challenge,
			user="Mufasa",
			password="Circle of Life",
			method="GET",
			uri="/dir/index.html",
			client_nonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
		)
		assert f'response="{response}"' in proof
		assert 'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"' in proof

	def test_the_strongest_of_several_is_taken(self) -> None:
		several = f"Basic realm=x, {self.RFC.format(algorithm='MD5')}, {self.RFC.format(algorithm='SHA-256')}"
		found = digest.read_challenges(several)
		assert [challenge.algorithm for challenge in found] == ["SHA-256", "MD5"]

	@pytest.mark.parametrize(
		"header",
		[
			"",
			'Basic realm="x"',
			"Digest",
			'Digest realm="x"',
			'Digest realm="x", nonce=""',
			'Digest realm="x", nonce="n", qop="auth-int"',
			'Digest realm="x", nonce="n", algorithm=SHA-512-256',
			'Digest realm="x", nonce="a\r\nX-Forged: 1"',
		],
	)
	def test_no_usable_challenge(self, header: str) -> None:
		assert digest.read_challenges(header) == ()

	def test_uses_of_a_nonce_are_counted(self) -> None:
		(challenge,) = digest.read_challenges('Digest realm="r", nonce="n", qop="auth"')
		proof = digest.authorization(
			challenge, user="u", password="p", method="GET", uri="/", client_nonce="c", count=0x1F
		)
		first, second = (hashlib.md5(text).hexdigest() for text in (b"u:r:p", b"GET:/"))
		assert "nc=0000001f," in proof
		assert hashlib.md5(f"{first}:n:0000001f:c:auth:{second}".encode()).hexdigest() in proof

	def test_stale(self) -> None:
		(challenge,) = digest.read_challenges('Digest realm="x", nonce="n", stale="TRUE"')
		assert challenge.stale

	@given(st.text(st.characters(max_codepoint=255)), st.text(), st.text())
	def test_any_header_and_any_credentials(self, header: str, user: str, password: str) -> None:
		for challenge in digest.read_challenges(f'Digest realm="é", nonce="n", {header}'):
			proof = digest.authorization(
				challenge, user=user, password=password, method="GET", uri="/", client_nonce="c"
			)
			proof.encode("latin-1")

	def test_names_beyond_ascii_are_utf_8_on_the_wire_and_in_the_hash(self) -> None:
		(challenge,) = digest.read_challenges('Digest realm="r", nonce="n"')
		proof = digest.authorization(
			challenge, user="مدير", password="Пароль", method="GET", uri="/", client_nonce="c"
		)
		first = hashlib.md5("مدير:r:Пароль".encode()).hexdigest()
		second = hashlib.md5(b"GET:/").hexdigest()
		response = hashlib.md5(f"{first}:n:{second}".encode()).hexdigest()
		assert 'username="مدير"'.encode() in proof.encode("latin-1")
		assert response in proof


class TestConfig:
	def _parse(self, **options: object) -> Config:
		wanted = {"host": "192.0.2.7", "user": "admin", "password": Secret("geheim-1")} | options
		return parse(Config, wanted, secrets=lambda kind, name: "")

	def test_defaults(self) -> None:
		config = self._parse()
		assert config.base_url == "http://192.0.2.7:80"
		assert (config.verify_tls, config.minor, config.page_size) == (True, 0, 30)
		assert self._parse(https=True).base_url == "https://192.0.2.7:443"
		assert self._parse(host="2001:db8::7", port=8080).base_url == "http://[2001:db8::7]:8080"

	@pytest.mark.parametrize(
		"options",
		[
			{"host": "http://x"},
			{"host": "x/../y"},
			{"user": "a:b"},
			{"user": 'a"b'},
			{"user": ""},
			{"user": "a\nb"},
			{"minor": 104},
			{"page_size": 31},
			{"page_size": 0},
			{"port": 65536},
			{"timeout": 0},
			{"major": 2},
		],
	)
	def test_refused(self, options: dict[str, object]) -> None:
		with pytest.raises(ConfigError):
			self._parse(**options)

	def test_every_option_is_explained_and_no_secret_is_shown(self) -> None:
		assert all(option.help for _, option in describe(Config).values())
		assert "geheim-1" not in repr(self._parse())
