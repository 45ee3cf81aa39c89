"""Reads what a call of a terminal asks for. Nothing here looks at who may call."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import parse_qsl

from attendance_bridge.drivers.zkteco_adms.desk import Dialect, Facts, Outcome, Stamp, Table
from attendance_bridge.drivers.zkteco_adms.messages import (
	CommandPoll,
	CommandResults,
	Configuring,
	Dropped,
	Hello,
	KeyExchange,
	Message,
	Options,
	Ping,
	Registering,
	State,
	TimeQuestion,
	Upload,
)
from attendance_bridge.drivers.zkteco_adms.rows import (
	Reader,
	read_attlog,
	read_event,
	read_transaction,
	read_wall,
)
from attendance_bridge.drivers.zkteco_adms.texts import fields, lines, number, printable
from attendance_bridge.drivers.zkteco_adms.wire import Request

MAX_QUERY = 4096
MAX_PUNCH_BODY = 4 * 1024 * 1024
"""Bytes of one push of punches, about 100,000 of them. `MaxPackageSize` of terminals is 2,048,000."""
MAX_OTHER_BODY = 256 * 1024
"""Of anything else that is read: options, results of commands."""
MAX_DROPPED_BODY = 64 * 1024 * 1024
"""Of what is counted and not kept; it passes through without being held in memory."""
MAX_OUTCOMES = 500
_SERIAL = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_STAMP = re.compile(r"[0-9]{1,32}")


class BadCallError(Exception):
	"""It is none of the protocol.

	:param status: what to answer.
	"""

	def __init__(self, status: int) -> None:
		super().__init__(status)
		self.status = status


class Endpoint(str, Enum):
	CDATA = "cdata"
	FDATA = "fdata"
	"""Pictures of older firmware."""
	REGISTRY = "registry"
	PUSH = "push"
	GETREQUEST = "getrequest"
	DEVICECMD = "devicecmd"
	QUERYDATA = "querydata"
	PING = "ping"
	RTDATA = "rtdata"
	EXCHANGE = "exchange"


_ENDPOINTS = {endpoint.value: endpoint for endpoint in Endpoint}
_ONLY_SECURITY = frozenset((Endpoint.REGISTRY, Endpoint.PUSH, Endpoint.QUERYDATA, Endpoint.RTDATA))


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
	"""Who calls for what, as far as path and query tell."""

	endpoint: Endpoint
	is_post: bool
	serial: str
	token: str = field(repr=False)
	"""Out of the path; empty if there is none."""
	params: dict[str, str] = field(repr=False)
	"""Of the query, by their names in lower case; the first of each counts."""

	@property
	def table(self) -> str:
		"""What is uploaded, in lower case: of `tabledata`, the table in it."""
		table = self.params.get("table", self.params.get("type", "")).lower()
		return self.params.get("tablename", "").lower() if table == "tabledata" else table

	@property
	def dialect(self) -> Dialect | None:
		"""What this call shows of the terminal's dialect; None if nothing.

		`DeviceType` is the terminal's own word; one that is not `acc` is `att`, and regional firmware says
		"middle east". The protocol version is no sign: both dialects use all of them.
		"""
		declared = self.params.get("devicetype", "").strip().lower()
		if declared:
			return Dialect.SECURITY if declared == "acc" else Dialect.ATTENDANCE
		table = self.params.get("table", "").lower()
		if self.endpoint in _ONLY_SECURITY or table in ("rtlog", "rtstate", "tabledata"):
			return Dialect.SECURITY
		return Dialect.ATTENDANCE if table in ("attlog", "operlog") else None


def read_head(method: str, path: str, query: str) -> Head:
	"""
	:raises BadCallError: 404 for what is no path of ours, 405 for another method than GET and POST, 400 for a
		call without a serial number, or with one that no terminal has.
	"""
	if method not in ("GET", "POST"):
		raise BadCallError(405)
	endpoint, token = _read_path(path)
	if len(query) > MAX_QUERY:
		raise BadCallError(400)
	params: dict[str, str] = {}
	try:
		for key, value in parse_qsl(query, keep_blank_values=True, errors="replace", max_num_fields=64):
			params.setdefault(key.lower(), value)
	except ValueError:
		raise BadCallError(400) from None
	serial = params.get("sn", "").strip()
	if not _SERIAL.fullmatch(serial):
		raise BadCallError(400)
	return Head(endpoint=endpoint, is_post=method == "POST", serial=serial, token=token, params=params)


def _read_path(path: str) -> tuple[Endpoint, str]:
	"""`/iclock/<endpoint>`, with the token before or behind "iclock"; some firmware appends ".aspx"."""
	parts = [part for part in path[:512].split("/") if part]
	token = ""
	if len(parts) == 3:
		token = parts.pop(1 if parts[0] == "iclock" else 0)
	if len(parts) != 2 or parts[0] != "iclock" or (token and not _TOKEN.fullmatch(token)):
		raise BadCallError(404)
	endpoint = _ENDPOINTS.get(parts[1].removesuffix(".aspx"))
	if endpoint is None:
		raise BadCallError(404)
	return endpoint, token


_READERS: dict[str, Reader] = {"attlog": read_attlog, "rtlog": read_event, "transaction": read_transaction}
_STAMPED = {table.value.lower(): table for table in Table}


def body_limit(head: Head) -> int:
	"""How many bytes of the body are worth keeping in memory; 0 for what is only counted."""
	if not head.is_post:
		return 0
	if _carries_punches(head):
		return MAX_PUNCH_BODY
	is_read = head.endpoint in (Endpoint.REGISTRY, Endpoint.DEVICECMD) or head.table in (
		"options",
		"operlog",
		"rtstate",
	)
	return MAX_OTHER_BODY if is_read else 0


def _carries_punches(head: Head) -> bool:
	return head.is_post and head.endpoint in (Endpoint.CDATA, Endpoint.QUERYDATA) and head.table in _READERS


def read_message(head: Head, request: Request) -> Message:
	"""What is asked for.

	:raises BadCallError: for punches, and results of commands: 413 if they are more than are taken at once,
		411 without a length, 415 if they are packed.
	"""
	if _carries_punches(head) or head.endpoint is Endpoint.DEVICECMD:
		_check_body(head, request)
	endpoint = head.endpoint
	if endpoint is Endpoint.CDATA or endpoint is Endpoint.QUERYDATA:
		return _data(head, request) if head.is_post else _asked(head)
	if endpoint is Endpoint.FDATA:
		return _dropped(head, request)
	if endpoint is Endpoint.REGISTRY:
		return Registering(facts=read_facts(request.body, b","))
	if endpoint is Endpoint.GETREQUEST:
		return CommandPoll(facts=_info(head.params.get("info", "")))
	if endpoint is Endpoint.DEVICECMD:
		return _results(head, request.body)
	return _SIMPLE[endpoint]


def _check_body(head: Head, request: Request) -> None:
	"""What would be lost must not be taken for read."""
	if request.is_cut:
		raise BadCallError(413)
	# Results of commands may stand in the query alone.
	if not request.has_length and not request.body and _carries_punches(head):
		raise BadCallError(411)
	if request.header("Content-Encoding").strip().lower() not in ("", "identity"):
		raise BadCallError(415)


_SIMPLE: dict[Endpoint, Message] = {
	Endpoint.PUSH: Configuring(),
	Endpoint.PING: Ping(),
	Endpoint.RTDATA: TimeQuestion(),
	Endpoint.EXCHANGE: KeyExchange(),
}


def _asked(head: Head) -> Message:
	# A table in a GET asks about somebody on another terminal (remote attendance); nobody answers that here.
	if head.table:
		return Ping()
	return Hello(push_version=printable(head.params.get("pushver", ""), 32))


def _data(head: Head, request: Request) -> Message:
	answers = number(head.params.get("cmdid", ""))
	reader = _READERS.get(head.table)
	if reader is not None:
		return Upload(
			body=request.body,
			read=reader,
			stamp=_stamp(head),
			answers=answers,
			is_last=_is_last(head),
			count=head.params.get("count", ""),
			table=_acknowledged(head),
		)
	if head.table == "rtstate":
		first = next(lines(request.body), b"")
		return State(wall=read_wall(fields(first).get("time", "")))
	if head.table == "options":
		return Options(
			facts=read_facts(request.body, b","), answers=answers, acknowledged=_acknowledged(head)
		)
	return _dropped(head, request)


def _dropped(head: Head, request: Request) -> Dropped:
	stated = number(head.params.get("count", ""))
	if head.table == "operlog":
		counted = Counter(_kind_of_line(line) for line in lines(request.body))
	else:
		kind = KINDS.get(head.table, "picture" if head.endpoint is Endpoint.FDATA else "other")
		came = sum(1 for _line in lines(request.body)) or int(request.is_cut)
		counted = Counter({kind: came if stated is None else max(0, stated)})
	return Dropped(
		counts=tuple(sorted(counted.items())),
		acknowledged=_acknowledged(head),
		count=sum(counted.values()),
		stamp=_stamp(head),
		answers=number(head.params.get("cmdid", "")),
		is_last=_is_last(head),
	)


KINDS = {
	"user": "user",
	"userinfo": "user",
	"identitycard": "user",
	"idcard": "user",
	"templatev10": "template",
	"biodata": "template",
	"fingertmp": "template",
	"facev7": "template",
	"fvtemplate": "template",
	"biophoto": "picture",
	"userpic": "picture",
	"attphoto": "picture",
	"snapshot": "picture",
	"errorlog": "operation",
}
"""Table → what is counted as dropped. Anything else is "other"."""

_LINE_KINDS = {
	b"USER": "user",
	b"FP": "template",
	b"FACE": "template",
	b"BIODATA": "template",
	b"FVEIN": "template",
	b"USERPIC": "picture",
	b"BIOPHOTO": "picture",
	b"OPLOG": "operation",
}


def _kind_of_line(line: bytes) -> str:
	return _LINE_KINDS.get(line.split(b" ", 1)[0], "other")


def _acknowledged(head: Head) -> str:
	name = head.params.get("tablename", "")
	return name if re.fullmatch(r"[A-Za-z0-9_]{1,40}", name) else ""


def _is_last(head: Head) -> bool:
	total, part = number(head.params.get("packcnt", "")), number(head.params.get("packidx", ""))
	return total is None or part is None or part >= total


def _stamp(head: Head) -> Stamp | None:
	table = _STAMPED.get(head.table)
	old_name = "opstamp" if table is Table.OPERLOG else "stamp"
	value = head.params.get("stamp", head.params.get(old_name, ""))
	return Stamp(table=table, value=value) if table is not None and _STAMP.fullmatch(value) else None


def _results(head: Head, body: bytes) -> CommandResults:
	"""Lines `ID=1&Return=0&CMD=DATA`, of which some firmware makes three; others tell of the terminal (INFO,
	GET OPTION)."""
	results: list[dict[str, str]] = []
	told: list[bytes] = []
	for line in lines(body):
		named = fields(line, b"&")
		if "id" in named:
			if len(results) >= MAX_OUTCOMES:
				break
			results.append(named)
		elif results and named and named.keys() <= {"return", "cmd"}:
			results[-1] = {**named, **results[-1]}
		else:
			told.append(line)
	outcomes = [outcome for outcome in map(_outcome, results) if outcome is not None]
	if not outcomes:
		# Documented for the body, seen in the query as well.
		outcome = _outcome(head.params)
		outcomes = [outcome] if outcome is not None else []
	facts = read_facts(b"\n".join(told), b"\n") if told else None
	return CommandResults(outcomes=tuple(outcomes), facts=facts)


def _outcome(named: dict[str, str]) -> Outcome | None:
	command, code = number(named.get("id", "")), number(named.get("return", ""))
	# Without a code it says nothing of how it went: the command stays under way.
	if command is None or command < 1 or code is None:
		return None
	return Outcome(id=command, code=code, said=printable(named.get("cmd", ""), 60))


def read_facts(body: bytes, separator: bytes) -> Facts:
	"""What a terminal says of itself in `key=value` pairs. What nobody asked for is not kept."""
	named: dict[str, str] = {}
	for pairs in _each_pairs(body, separator):
		for key, value in pairs.items():
			named.setdefault(key, value)
	thousands = number(named.get("maxattlogcount", ""))
	return Facts(
		model=printable(named.get("devicename", "")),
		firmware=printable(named.get("firmver", named.get("fwversion", ""))),
		push_version=printable(named.get("pushversion", ""), 32),
		mac=printable(named.get("mac", ""), 32).upper(),
		address=printable(named.get("ipaddress", ""), 45),
		punches_held=_count(named.get("transactioncount", "")),
		punch_capacity=thousands * 10_000 if thousands and 0 < thousands < 10_000 else None,
		users_held=_count(named.get("usercount", "")),
	)


def _each_pairs(body: bytes, separator: bytes) -> Iterator[dict[str, str]]:
	if separator == b"\n":
		yield from (fields(line, b"\n") for line in lines(body))
	else:
		yield fields(body.replace(b"\r", b"").replace(b"\n", b""), separator)


def _info(text: str) -> Facts | None:
	"""`INFO=firmware,users,fingers,punches,address,…` of a 2.x terminal."""
	cells = text[:1000].split(",")
	if len(cells) < 5:
		return None
	return Facts(
		firmware=printable(cells[0]),
		users_held=_count(cells[1]),
		punches_held=_count(cells[3]),
		address=printable(cells[4], 45),
	)


def _count(text: str) -> int | None:
	found = number(text)
	return found if found is not None and found >= 0 else None
