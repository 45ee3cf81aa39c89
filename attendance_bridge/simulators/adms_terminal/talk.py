"""What a terminal says to its server, in which order, and what it makes of the answers; no sockets, no
threads.

A talk is a generator: it yields `Ask` (send this, tell me the answer, or None if there was none) and `Wait`
(tell me how many seconds have passed). Whoever drives it does the waiting and the sending, for as many talks
at once as they like.

Sources: the vendor's attendance PUSH manual (chapters 2, 3, 9 to 11), the security PUSH manual (chapters 4,
6, 7 and 12), captures of a BioFace A1 (querydata with cmdid, packcnt, packidx, followed by devicecmd with the
number of records), kittiu/thai_zkt (`push_protocol_3.py`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import quote

from attendance_bridge.simulators.adms_terminal import commands, rows
from attendance_bridge.simulators.adms_terminal.commands import Outcome
from attendance_bridge.simulators.adms_terminal.http import Ask, Reply
from attendance_bridge.simulators.adms_terminal.rows import Entry
from attendance_bridge.simulators.adms_terminal.state import (
	CLOCK_JUMP,
	WRONG_TOKEN,
	AdmsState,
	Dialect,
	Report,
)

ERROR_DELAY, DELAY, REQUEST_DELAY, TRANS_INTERVAL = 60.0, 30.0, 30.0, 2.0
"""What counts when the server says nothing."""
MAX_DELAY = 3600.0
MAX_COMMANDS = 100
"""As many of one answer are carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
	seconds: float
	until_news: bool = True
	"""Whether something new to send ends it early."""


Talk = Generator[Ask | Wait, "Reply | float | None", None]
Exchange = Generator[Ask | Wait, "Reply | float | None", Reply | None]
Step = Generator[Ask | Wait, "Reply | float | None", bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
	"""What one upload carries."""

	query: str
	lines: list[str]
	entries: list[Entry]
	reports: int = 0
	awaits: str = ""
	"""The whole answer that takes it; if empty, one that begins with OK."""


class Terminal:
	"""One terminal from power-on to the next and on; its state outlives it."""

	def __init__(self, state: AdmsState) -> None:
		self._state = state
		self._is_security = state.dialect is Dialect.SECURITY
		self._options: dict[str, str] = {}
		self._token = ""
		self._uploads = 0
		self._is_lost = False
		"""Whether the last request had no answer at all."""

	def talk(self) -> Talk:
		"""Never ends by itself."""
		state = self._state
		while True:
			while not (yield from self._greet(is_first=True)):
				yield Wait(seconds=self._seconds("ErrorDelay", ERROR_DELAY), until_news=False)
			yield from self._work()
			state.wants_reboot = False
			state.count("reboot")
			yield Wait(seconds=state.reboot_seconds, until_news=False)

	def _work(self) -> Talk:
		"""From the handshake to the next start."""
		until_poll = until_upload = 0.0
		while True:
			if self._uploads_now(until_upload):
				until_upload = self._seconds("TransInterval", TRANS_INTERVAL) * 60
				if not (yield from self._upload_all()):
					yield from self._recover()
					if "polls-only" not in self._state.faults:
						continue
					until_poll = 0.0
			if until_poll <= 0:
				until_poll = self._poll_delay()
				if not (yield from self._poll()):
					yield from self._recover()
			if self._state.wants_reboot:
				return
			passed = yield Wait(seconds=until_poll, until_news=self._is_realtime)
			seconds = passed if isinstance(passed, float) else 0.0
			until_poll -= seconds
			until_upload -= seconds

	@property
	def _is_realtime(self) -> bool:
		return self._options.get("Realtime", "1") != "0"

	def _uploads_now(self, until_upload: float) -> bool:
		return self._state.has_news and (self._is_realtime or until_upload <= 0)

	def _poll_delay(self) -> float:
		if self._is_security:
			return self._seconds("RequestDelay", REQUEST_DELAY)
		return self._seconds("Delay", DELAY)

	def _seconds(self, option: str, default: float) -> float:
		"""A delay that the server has set; what is no number or out of bounds counts as not set."""
		text = self._options.get(option, "")
		if text.isascii() and text.isdecimal() and 0 < int(text) <= MAX_DELAY:
			return float(text)
		return default

	def _recover(self) -> Talk:
		"""After an exchange that went wrong: wait, and where there was no answer at all, greet again."""
		yield Wait(seconds=self._seconds("ErrorDelay", ERROR_DELAY), until_news=False)
		if self._is_lost:
			yield from self._greet(is_first=False)

	# the handshake

	def _greet(self, *, is_first: bool) -> Step:
		"""
		:param is_first: since the start; the time zone is read only then.
		"""
		state = self._state
		state.count("hello")
		state.suffer()
		query = f"options=all&pushver={state.push_version}"
		query += "&DeviceType=acc" if self._is_security else "&language=69&PushOptionsFlag=1"
		reply = yield from self._exchange("GET", "cdata", query)
		if reply is None or reply.status != 200:
			return False
		self._take_options(reply.text, starts_anew=True)
		if self._is_security and not (yield from self._register()):
			return False
		self._follow(reply, is_first=is_first)
		if is_first and self._options.get("PushOptionsFlag") == "1":
			yield from self._exchange("POST", "cdata", "table=options", self._option_line().encode())
		if is_first and self._is_security:
			state.record(rows.DEVICE_ITSELF, None, event=rows.EVENT_STARTED)
		if "odd-tables" in state.faults:
			yield from self._send_odd_tables()
		return True

	def _register(self) -> Step:
		"""The part that only the security dialect has; what the server said in the handshake may make it
		short."""
		if self._options.get("registry", "").lower() != "ok":
			reply = yield from self._exchange("POST", "registry", "", self._option_line().encode())
			if reply is None or reply.status != 200:
				return False
			self._take_options(reply.text)
			if "RegistryCode" not in self._options:
				return False
			reply = yield from self._exchange("POST", "push", "")
			if reply is None or reply.status != 200:
				return False
			self._take_options(reply.text)
		code, session = self._options.get("RegistryCode", ""), self._options.get("SessionID", "")
		told = f"{code}{self._state.serial}{session}".encode()
		self._token = hashlib.md5(told, usedforsecurity=False).hexdigest()
		return True

	def _take_options(self, text: str, *, starts_anew: bool = False) -> None:
		pairs = (line.strip("\r").partition("=") for line in text.split("\n"))
		taken = {name.strip(): value for name, sign, value in pairs if sign}
		self._options = taken if starts_anew else self._options | taken

	def _follow(self, reply: Reply, *, is_first: bool) -> None:
		"""Set clock and place in the log to what the server said."""
		state = self._state
		if "wrong-clock" not in state.faults:
			state.clock.follow_date(reply.headers.get("date"))
			if is_first:
				state.clock.follow_zone(self._options.get("TimeZone"))
			if "clock-jump" in state.faults:
				state.clock.ahead += CLOCK_JUMP
		stamp = self._options.get("ATTLOGStamp", self._options.get("Stamp"))
		state.follow_stamp(None if self._is_security else stamp)

	def _option_line(self) -> str:
		options = self._state.options()
		if self._is_security:
			options = {"DeviceType": "acc"} | options
		return ",".join(f"{name}={value}" for name, value in options.items())

	def _send_odd_tables(self) -> Talk:
		wall = f"{self._state.wall_now():%Y-%m-%d %H:%M:%S}"
		if self._is_security:
			line = f"time={wall}\tsensor=02\trelay=00\talarm=0000000000000000"
			yield from self._exchange("POST", "cdata", "table=rtstate", line.encode())
		else:
			line = "ERRORLOG ErrCode=D01E0001\tErrMsg=no face\tDataOrigin=dev\tCmdId=\tAdditional="
			yield from self._exchange("POST", "cdata", "table=ERRORLOG&Stamp=9999", line.encode())
			yield from self._exchange("GET", "ping", "")

	# uploads

	def _upload_all(self) -> Step:
		"""Send until nothing is left; False at the first that is not taken."""
		state = self._state
		is_late = False
		while state.has_news:
			batch = self._next_batch(is_late=is_late)
			state.count("upload")
			self._uploads += 1
			reply = yield from self._exchange(
				"POST", "cdata", batch.query, self._encode(batch.lines), counted=True
			)
			if reply is None or not _is_taken(reply, batch.awaits):
				state.count("refused" if reply is not None else "broken")
				state.count("again")
				return False
			state.sent(batch.entries)
			for _ in range(batch.reports):
				state.reports.popleft()
			is_late = True
		return True

	def _next_batch(self, *, is_late: bool) -> _Batch:
		state = self._state
		entries = state.unsent()
		if not entries:
			return self._next_reports()
		if not self._is_security:
			query = f"table=ATTLOG&Stamp={state.stamp(entries)}"
			columns = state.attlog_columns
			lines = [rows.attlog(entry, columns) for entry in entries if entry.is_punch or entry.damage]
			if not lines:
				# Refusals are no rows of ATTLOG.
				lines = [rows.operation(2, "0", entry.wall_time, entry.user_id) for entry in entries]
				query = "table=OPERLOG&Stamp=9999"
			return _Batch(query=query, lines=lines, entries=entries)
		if state.backlog_as_transactions and (is_late or len(entries) > 1):
			lines = [rows.transaction(entry) for entry in entries]
			count = len(lines)
			query = f"table=tabledata&tablename=transaction&count={count}"
			return _Batch(query=query, lines=lines, entries=entries, awaits=f"transaction={count}")
		new_styles = "NewVFStyles" in self._options
		lines = [rows.rtlog(entry, new_styles=new_styles) for entry in entries]
		return _Batch(query="table=rtlog", lines=lines, entries=entries)

	def _next_reports(self) -> _Batch:
		"""Neighbouring reports of one table go together."""
		reports = list(self._state.reports)[: self._state.rows_per_post]
		table = reports[0].table
		together = [report.line for report in _leading(reports, table)]
		count = len(together)
		if not self._is_security:
			query = f"table={table}&Stamp=9999"
			return _Batch(query=query, lines=together, entries=[], reports=count)
		query = f"table=tabledata&tablename={table}&count={count}"
		return _Batch(query=query, lines=together, entries=[], reports=count, awaits=f"{table}={count}")

	def _encode(self, lines: list[str]) -> bytes:
		text = "\n".join(lines) + "\n"
		return text.encode("gb2312" if "gb-names" in self._state.faults else "utf-8", "replace")

	# commands

	def _poll(self) -> Step:
		state = self._state
		state.count("poll")
		reply = yield from self._exchange("GET", "getrequest", "")
		if reply is None or reply.status != 200:
			return False
		told = commands.read(reply.text)[:MAX_COMMANDS]
		answers: list[str] = []
		greets_again = False
		for number, command in told:
			state.count("command")
			outcome = commands.carry_out(state, command)
			yield from self._send_packs(number, outcome)
			answers.append(
				"\n".join((f"ID={number}&Return={outcome.code}&CMD={outcome.echo}", *outcome.extra))
			)
			greets_again |= outcome.greets_again
		if answers:
			yield from self._exchange("POST", "devicecmd", "", self._encode(answers))
		if greets_again:
			yield from self._greet(is_first=False)
		return True

	def _send_packs(self, number: str, outcome: Outcome) -> Talk:
		for place, pack in enumerate(outcome.packs, 1):
			if self._is_security:
				kind = "options" if pack.table == "options" else "tabledata"
				query = (
					f"type={kind}&cmdid={number}&tablename={pack.table}&count={len(pack.lines)}"
					f"&packcnt={len(outcome.packs)}&packidx={place}"
				)
				yield from self._exchange("POST", "querydata", query, "\r\n".join(pack.lines).encode())
			else:
				table = _TABLE_OF_QUERY.get(pack.table, pack.table)
				query = f"table={table}&Stamp=9999"
				yield from self._exchange("POST", "cdata", query, self._encode(list(pack.lines)))

	# one request

	def _exchange(
		self, method: str, endpoint: str, query: str, body: bytes = b"", *, counted: bool = False
	) -> Exchange:
		"""
		:param counted: an upload, which some faults hit only now and then.
		"""
		state = self._state
		while state.is_unplugged:
			yield Wait(seconds=1.0, until_news=False)
		faults = state.faults
		prefix = WRONG_TOKEN if "wrong-token" in faults else state.prefix
		target = f"{prefix}/iclock/{endpoint}?SN={quote(state.serial)}" + (f"&{query}" if query else "")
		answer = yield Ask(
			method=method,
			target=target,
			body=body,
			headers=self._headers(method),
			keeps_alive=self._is_security or "keep-alive" in faults,
			breaks_off=counted
			and ("polls-only" in faults or ("half-body" in faults and self._uploads % 2 == 0)),
			is_deaf=counted and "answer-lost" in faults and self._uploads % 3 == 0,
			drips="slow-body" in faults and bool(body),
		)
		reply = answer if isinstance(answer, Reply) else None
		self._is_lost = reply is None
		if reply is not None:
			state.answers[reply.status] += 1
		return reply

	def _headers(self, method: str) -> dict[str, str]:
		headers = {"Accept": "application/push" if self._is_security else "*/*"}
		if self._token:
			headers["Cookie"] = f"token={self._token}"
		if method == "POST" and "no-content-type" not in self._state.faults:
			headers["Content-Type"] = _CONTENT_TYPES[self._state.dialect]
		return headers


_CONTENT_TYPES = {
	Dialect.ATTENDANCE: "application/x-www-form-urlencoded",
	Dialect.SECURITY: "application/push;charset=UTF-8",
}
_TABLE_OF_QUERY = {"USERINFO": "OPERLOG", "FINGERTMP": "OPERLOG"}
"""In the attendance dialect users and fingerprints come as operations."""


def _is_taken(reply: Reply, awaits: str) -> bool:
	if reply.status != 200:
		return False
	text = reply.text.strip()
	return text == awaits if awaits else text.startswith("OK")


def _leading(reports: list[Report], table: str) -> list[Report]:
	other = next((place for place, report in enumerate(reports) if report.table != table), len(reports))
	return reports[:other]
