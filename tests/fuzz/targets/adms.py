"""Terminals that push (ADMS)."""

from __future__ import annotations

from datetime import datetime, timezone

from attendance_bridge.core.driver import UnreadableRow
from attendance_bridge.drivers.zkteco_adms.clock_watch import MAX_TEXT, ClockWatch
from attendance_bridge.drivers.zkteco_adms.limits import Allowance
from attendance_bridge.drivers.zkteco_adms.receiver import Receiver
from attendance_bridge.drivers.zkteco_adms.requests import read_facts
from attendance_bridge.drivers.zkteco_adms.rows import Reader, Row, read_attlog, read_event, read_transaction
from attendance_bridge.drivers.zkteco_adms.sightings import Sightings
from attendance_bridge.drivers.zkteco_adms.wire import Request
from tests.fuzz.adms_desk import MemoryDesk
from tests.fuzz.target import Target

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=timezone.utc)
STATUSES = {200, 400, 403, 404, 405, 406, 413, 429, 501, 503}

_DESK = MemoryDesk()
_ENDLESS = Allowance(burst=1_000_000_000, per_second=0)
_RECEIVER = Receiver(_DESK, now=lambda: NOW, strangers=_ENDLESS, terminals=_ENDLESS)


def _call(data: bytes) -> None:
	"""A first line `METHOD path?query`, the rest is the body."""
	head, _newline, body = data.partition(b"\n")
	method, _blank, target = head.decode("latin-1").partition(" ")
	path, _mark, query = target.partition("?")
	limit = _RECEIVER.body_limit(method, path, query)
	request = Request(method=method, path=path, query=query, body=body[:limit], is_cut=len(body) > limit)
	reply = _RECEIVER.answer(request, "192.0.2.7")
	assert reply.status in STATUSES, reply.status
	assert dict(reply.headers)["Date"] == "Thu, 26 Nov 2026 08:00:00 GMT"
	assert int(dict(reply.headers)["Content-Length"]) == len(reply.body) < 4096
	assert b"SHELL" not in reply.body.upper()


def _state(data: bytes) -> None:
	"""The body of a call that tells the state of the doors, and what the clock shows."""
	_call(b"POST /iclock/cdata?SN=A1&table=rtstate\n" + data)


def _row(read: Reader, data: bytes) -> None:
	found = read(data)
	if isinstance(found, Row):
		assert 0 < len(found.user_id) <= 64
		assert found.user_id.isprintable()
	if isinstance(found, UnreadableRow):
		assert found.reason


def _facts(data: bytes) -> None:
	for separator in (b",", b"\n"):
		facts = read_facts(data, separator)
		assert facts.model.isprintable()
		assert len(facts.model) <= 100


def _sightings(data: bytes) -> None:
	text = data.decode("latin-1")
	seen = Sightings.from_text(text).seen("192.0.2.7", "", NOW)
	seen.is_twin(NOW)
	assert len(seen.to_text()) <= 500


def _clock(data: bytes) -> None:
	watch = ClockWatch.from_text(data.decode("latin-1"))
	assert len(watch.to_text()) <= MAX_TEXT
	reading = watch.reading(NOW)
	assert reading is None or abs(reading.offset.days) <= 100 * 366


_ATTLOG = (
	b"007\t2026-10-25 02:10:00\t1\t15\t0\t0\t0",
	b"PIN=1\tTime=2026-03-01 08:00:00\tStatus=0\tVerify=1",
)
_RTLOG = (
	b"time=2026-10-25 02:10:00\tpin=42\tcardno=0\tevent=3\tinoutstatus=0\tverifytype=15\tindex=9",
	b"time=2026-03-01 08:00:00\tpin=1\tevent=0\tverifytype=0000101000000011\tmaskflag=1\ttemperature=36.2",
	b"cardno=1,time=2026-03-01 08:00:00,pin=1,event=0,inoutstatus=0",
)
_TRANSACTION = (
	b"transaction cardno=0\tpin=42\tverified=1\teventtype=0\tinoutstate=1\ttime_second=865252800\tindex=9",
)
_STATE = (
	b"time=2026-10-25 02:10:00\tsensor=00\trelay=00\talarm=0200000000000000",
	b"time=0001-01-01 00:00:00\tsensor=00",
	b"sensor=00\ttime=9999-12-31 23:59:59",
	b"",
)
_FACTS = (
	b"DeviceType=acc,~DeviceName=F22,FirmVer=Ver 8.0.1,PushVersion=3.1.2,MAC=00:17:61:11:ad:4f,"
	b"~MaxAttLogCount=10,TransactionCount=23,IPAddress=192.0.2.9,UserCount=7,authKey=x",
	b"ID=1&Return=0&CMD=INFO\n~DeviceName=K40\nMAC=00:17:61:11:ad:4f",
)
_CALLS = (
	b"GET /iclock/cdata?SN=A1&options=all&pushver=2.4.1&language=69",
	b"GET /iclock/cdata?SN=A1&options=all&pushver=3.1.2&DeviceType=acc",
	b"POST /token/iclock/cdata.aspx?SN=A1&table=ATTLOG&Stamp=9999\n" + b"\n".join(_ATTLOG),
	b"POST /iclock/cdata?SN=A1&table=OPERLOG&Stamp=9\nUSER PIN=1\tName=A\tPasswd=1\nFP PIN=1\tTMP=AA",
	b"POST /iclock/cdata?SN=A1&table=rtlog\n" + b"\n".join(_RTLOG),
	b"POST /iclock/cdata?SN=A1&table=tabledata&tablename=biodata&count=1\nbiodata pin=1\ttmp=AAAA",
	b"POST /iclock/querydata?SN=A1&type=tabledata&cmdid=1&tablename=transaction&count=1&packcnt=2&packidx=1\n"
	+ _TRANSACTION[0],
	b"POST /iclock/cdata?SN=A1&table=rtstate\ntime=2026-10-25 02:10:00\tsensor=00\trelay=00\talarm=02",
	b"POST /iclock/registry?SN=A1\n" + _FACTS[0],
	b"POST /iclock/push?SN=A1",
	b"GET /iclock/getrequest?SN=A1&INFO=Ver%208.0.4,12,0,345,192.0.2.9,10,7,0,0,101",
	b"POST /iclock/devicecmd?SN=A1\n" + _FACTS[1],
	b"POST /iclock/cdata?SN=B2&table=ATTLOG\n" + _ATTLOG[0],
	b"GET /iclock/rtdata?SN=A1&type=time",
	b"POST /iclock/exchange?SN=A1&type=publickey\nPublicKey=AAAA",
)

TARGETS = (
	Target(name="adms_call", parse=_call, seeds=_CALLS),
	Target(name="adms_attlog", parse=lambda data: _row(read_attlog, data), seeds=_ATTLOG),
	Target(name="adms_rtlog", parse=lambda data: _row(read_event, data), seeds=_RTLOG),
	Target(name="adms_transaction", parse=lambda data: _row(read_transaction, data), seeds=_TRANSACTION),
	Target(name="adms_rtstate", parse=_state, seeds=_STATE),
	Target(name="adms_facts", parse=_facts, seeds=_FACTS),
	Target(
		name="adms_sightings",
		parse=_sightings,
		seeds=(b'["192.0.2.1","00:17",[1700000000],[["192.0.2.2",1700000000]],1700000000]', b"[]"),
	),
	Target(
		name="adms_clock",
		parse=_clock,
		seeds=(
			b"[[[29928235,3602],[29928236,3601],[29928237,3600],[29928238,3603],[29928240,3604]],0,0]",
			b"[[],1795680000,-3600]",
		),
	),
)
