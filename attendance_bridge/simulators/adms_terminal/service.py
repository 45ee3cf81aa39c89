"""Many terminals on the network, as HTTP clients of one server: one thread, one selector, a heap of alarms.

A terminal has at most one connection at a time. Five hundred of them cost five hundred small objects.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from enum import Enum

from attendance_bridge.simulators.adms_terminal.http import Ask, BadReplyError, Reply, ReplyReader
from attendance_bridge.simulators.adms_terminal.state import AdmsState
from attendance_bridge.simulators.adms_terminal.talk import Talk, Terminal, Wait

logger = logging.getLogger(__name__)

MAX_OPEN = 400
"""Connections at once; whoever comes later waits for one to close."""
TIMEOUT_SECONDS = 10.0
DROP_BYTES, DROP_SECONDS = 16, 0.01
_LONGEST_SELECT = 0.2


class AdmsFleet:
	"""Drives its terminals from `start` to `stop`."""

	def __init__(self, *, host: str = "127.0.0.1", port: int, pace: float = 1.0) -> None:
		"""
		:param host: of the server; looked up once, at the start.
		:param pace: how many real seconds the terminals take for a second of waiting; 0.01 makes a `Delay` of
			10 a tenth of a second. Sending is as fast as it is.
		"""
		self.timeout_seconds = TIMEOUT_SECONDS
		self._server = (host, port)
		self._host_header = f"{host}:{port}"
		self._pace = pace
		self._lines: list[_Line] = []
		self._joining: deque[_Line] = deque()
		self._woken: deque[_Line] = deque()
		self._queue: deque[_Line] = deque()
		self._alarms: list[tuple[float, int, int, _Line]] = []
		self._order = itertools.count()
		self._open = 0
		self._selector = selectors.DefaultSelector()
		self._bell, self._push = socket.socketpair()
		self._stopping = threading.Event()
		self._thread: threading.Thread | None = None

	def add(self, state: AdmsState) -> None:
		"""Switch a terminal on; also while the fleet runs."""
		line = _Line(state)
		self._lines.append(line)
		self._joining.append(line)
		state.watchers.append(line.note_news)
		line.ring = lambda: self._wake(line)
		self._ring()

	def start(self) -> None:
		"""
		:raises OSError: the name of the server is unknown.
		"""
		address = socket.getaddrinfo(*self._server, socket.AF_INET, socket.SOCK_STREAM)[0][4]
		self._address = (str(address[0]), int(address[1]))
		self._bell.setblocking(False)
		self._selector.register(self._bell, selectors.EVENT_READ)
		self._thread = threading.Thread(target=self._run, name="adms-fleet", daemon=True)
		self._thread.start()

	def stop(self) -> None:
		"""Switch all of them off; a second call does nothing."""
		thread, self._thread = self._thread, None
		if thread is None:
			return
		self._stopping.set()
		self._ring()
		thread.join()
		for line in self._lines:
			line.state.watchers.remove(line.note_news)
			self._hang_up(line)
			line.talk.close()
		self._selector.close()
		self._bell.close()
		self._push.close()

	def __enter__(self) -> AdmsFleet:
		self.start()
		return self

	def __exit__(self, *_exc_info: object) -> None:
		self.stop()

	def states(self) -> tuple[AdmsState, ...]:
		return tuple(line.state for line in self._lines)

	def wait_until_quiet(self, timeout: float = 30.0) -> bool:
		"""Whether, at the latest after `timeout` real seconds, no terminal has anything left to send."""
		end = time.monotonic() + timeout
		while time.monotonic() < end:
			if not any(line.state.has_news for line in self._lines):
				return True
			time.sleep(0.01)
		return False

	# other threads

	def _wake(self, line: _Line) -> None:
		self._woken.append(line)
		self._ring()

	def _ring(self) -> None:
		with contextlib.suppress(OSError):  # full: it rings already; closed: nobody listens
			self._push.send(b"!", socket.MSG_DONTWAIT)

	# the thread

	def _run(self) -> None:
		while not self._stopping.is_set():
			for key, _ in self._selector.select(self._until_alarm()):
				if key.fileobj is self._bell:
					with contextlib.suppress(OSError):
						self._bell.recv(4096)
				else:
					self._attend(key.data)
			while self._joining:
				self._go_on(self._joining.popleft(), None)
			self._wake_waiting()
			self._ring_alarms()
			while self._queue and self._open < MAX_OPEN:
				self._connect(self._queue.popleft())

	def _until_alarm(self) -> float:
		if not self._alarms:
			return _LONGEST_SELECT
		return min(max(self._alarms[0][0] - time.monotonic(), 0.0), _LONGEST_SELECT)

	def _wake_waiting(self) -> None:
		while self._woken:
			line = self._woken.popleft()
			# Who is in the middle of an exchange hears of it in the next wait.
			if line.phase is _Phase.WAITING and line.waits_for_news:
				self._end_wait(line)

	def _ring_alarms(self) -> None:
		now = time.monotonic()
		while self._alarms and self._alarms[0][0] <= now:
			_, _, number, line = heapq.heappop(self._alarms)
			if number != line.alarm:
				continue  # it was set anew meanwhile
			if line.phase is _Phase.WAITING:
				self._end_wait(line)
			elif line.phase is _Phase.DRIPPING:
				self._send(line)
			else:
				self._fail(line)

	def _set_alarm(self, line: _Line, seconds: float) -> None:
		line.alarm += 1
		moment = time.monotonic() + seconds
		heapq.heappush(self._alarms, (moment, next(self._order), line.alarm, line))

	def _go_on(self, line: _Line, answer: Reply | float | None) -> None:
		"""Hand `answer` to the talk, and begin what it wants next."""
		wanted = line.talk.send(answer)
		if isinstance(wanted, Wait):
			line.phase = _Phase.WAITING
			line.waits_for_news = wanted.until_news
			line.wait_began = time.monotonic()
			has_news = wanted.until_news and line.has_news
			self._set_alarm(line, 0.0 if has_news else max(wanted.seconds, 0.0) * self._pace)
			return
		line.begin(wanted, wanted.encode(self._host_header))
		if line.sock is not None:
			self._follow(line)
			return
		self._enqueue(line)

	def _enqueue(self, line: _Line) -> None:
		line.phase = _Phase.QUEUED
		line.alarm += 1  # that of a wait which something else has ended must not ring now
		self._queue.append(line)

	def _end_wait(self, line: _Line) -> None:
		if line.waits_for_news:
			line.has_news = False  # before the terminal looks what there is
		passed = time.monotonic() - line.wait_began
		self._go_on(line, passed / self._pace if self._pace else passed)

	def _connect(self, line: _Line) -> None:
		sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
		sock.setblocking(False)
		sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		line.sock = sock
		line.is_fresh = True
		self._open += 1
		sock.connect_ex(self._address)  # how it ends, sending will tell
		self._watch(line, selectors.EVENT_WRITE)
		line.phase = _Phase.SENDING
		self._set_alarm(line, self.timeout_seconds)

	def _follow(self, line: _Line) -> None:
		"""Another request on a connection that is open."""
		line.is_fresh = False
		line.phase = _Phase.SENDING
		self._watch(line, selectors.EVENT_WRITE)
		self._set_alarm(line, self.timeout_seconds)

	def _attend(self, line: _Line) -> None:
		if line.phase is _Phase.SENDING:
			self._send(line)
		elif line.phase is _Phase.READING:
			self._read(line)

	def _send(self, line: _Line) -> None:
		sock, ask = line.sock, line.ask
		if sock is None or ask is None:
			return
		piece = (
			line.outgoing[:DROP_BYTES] if ask.drips and line.is_in_body else line.outgoing[: line.until_body]
		)
		try:
			count = sock.send(piece)
		except BlockingIOError:
			return
		except OSError:
			self._fail(line)
			return
		line.took(count)
		if line.outgoing and not (ask.breaks_off and line.is_half_sent):
			if ask.drips and line.is_in_body:
				self._pause(line)
			return
		if ask.breaks_off or ask.is_deaf:
			self._fail(line)
			return
		line.phase = _Phase.READING
		self._watch(line, selectors.EVENT_READ)
		self._set_alarm(line, self.timeout_seconds)

	def _pause(self, line: _Line) -> None:
		"""Before the next drop."""
		if line.phase is not _Phase.DRIPPING:
			line.phase = _Phase.DRIPPING
			self._watch(line, None)
		self._set_alarm(line, DROP_SECONDS)

	def _watch(self, line: _Line, event: int | None) -> None:
		"""Wait for `event` on the connection, or for none."""
		sock = line.sock
		if sock is None:
			return
		if sock in self._selector.get_map():
			self._selector.unregister(sock)
		if event is not None:
			self._selector.register(sock, event, line)

	def _read(self, line: _Line) -> None:
		try:
			piece = line.sock.recv(65_536)  # type: ignore[union-attr]  # it is being read
			reply = line.reader.feed(piece) if piece else line.reader.end()
		except BlockingIOError:
			return
		except (OSError, BadReplyError) as error:
			logger.debug("%s: %r", line.state.serial, error)
			self._fail(line)
			return
		if reply is None:
			if not piece:
				self._fail(line)
			return
		stays = bool(piece) and line.ask is not None and line.ask.keeps_alive and reply.is_kept_alive
		if stays:
			self._watch(line, None)
		else:
			self._hang_up(line)
		self._go_on(line, reply)

	def _fail(self, line: _Line) -> None:
		"""The exchange came to nothing. A connection that was open before may simply have grown old."""
		is_stale = not line.is_fresh and not line.reader.has_begun
		ask = line.ask
		self._hang_up(line)
		if is_stale and ask is not None and not ask.breaks_off and not ask.is_deaf:
			line.begin(ask, ask.encode(self._host_header))
			self._enqueue(line)
			return
		self._go_on(line, None)

	def _hang_up(self, line: _Line) -> None:
		self._watch(line, None)
		sock, line.sock = line.sock, None
		if sock is None:
			return
		sock.close()
		self._open -= 1


class _Phase(Enum):
	WAITING = "waiting"
	QUEUED = "queued"
	SENDING = "sending"
	DRIPPING = "dripping"
	READING = "reading"


class _Line:
	"""A terminal's talk and its connection."""

	def __init__(self, state: AdmsState) -> None:
		self.state = state
		self.talk: Talk = Terminal(state).talk()
		self.phase = _Phase.WAITING
		self.waits_for_news = False
		self.wait_began = 0.0
		self.alarm = 0
		self.has_news = False
		self.ring: Callable[[], None] = lambda: None
		self.sock: socket.socket | None = None
		self.is_fresh = True
		self.ask: Ask | None = None
		self.reader = ReplyReader()
		self.outgoing = b""
		self._body_length = 0

	def note_news(self) -> None:
		"""Called from any thread; rings once until it has been heard."""
		if not self.has_news:
			self.has_news = True
			self.ring()

	def begin(self, ask: Ask, encoded: bytes) -> None:
		self.ask = ask
		self.outgoing = encoded
		self.reader = ReplyReader()
		self._body_length = len(ask.body)

	def took(self, count: int) -> None:
		self.outgoing = self.outgoing[count:]

	@property
	def is_in_body(self) -> bool:
		return len(self.outgoing) <= self._body_length

	@property
	def is_half_sent(self) -> bool:
		return len(self.outgoing) <= self._body_length // 2 + 1

	@property
	def until_body(self) -> int | None:
		"""How much may be sent at once: nothing of what a fault treats otherwise."""
		if self.ask is None or not (self.ask.breaks_off or self.ask.drips):
			return None
		rest = self._body_length // 2 if self.ask.breaks_off else self._body_length
		return max(len(self.outgoing) - rest, 1)
