"""A conversation with one terminal: pyzk's connection under a lock, its exceptions as `DeviceError`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from zk import ZK, const
from zk.exception import ZKErrorResponse

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.recording import Tape
from attendance_bridge.drivers.zkteco_tcp.channel import (
	DEFAULT_BUDGET,
	EVENTS_BUDGET,
	TcpChannel,
	UdpChannel,
	open_tcp,
	open_udp,
	unreachable,
)
from attendance_bridge.drivers.zkteco_tcp.config import Config, Transport, check_comm_key
from attendance_bridge.drivers.zkteco_tcp.line import line_to, login_of

T = TypeVar("T")

log = logging.getLogger(__name__)

_UNKNOWN_COMMAND = {const.CMD_ACK_UNKNOWN, const.CMD_ACK_ERROR_CMD}
_GOODBYE_SECONDS = 2.0
_CONNECT_ANSWERS = 2
"""Connecting is at most two questions: hello and comm key."""


class _NoProbe:
	"""Stands for pyzk's helper, whose probes are a shell command and a second TCP connection."""

	def test_tcp(self) -> int:
		return 0

	def test_ping(self) -> bool:
		return True


class Terminal(ZK):  # type: ignore[misc]  # pyzk carries no types
	"""pyzk's client on a channel of ours.

	It overrides private methods of pyzk; that is why its version is pinned, and a test looks whether the
	names are still there. pyzk also sets `User.encoding` for the whole process when a client is made: it is
	given the same value every time, and its `User` is not used.
	"""

	def __init__(self, channel: TcpChannel | UdpChannel, comm_key: int, config: Config) -> None:
		self._ZK__sock: Any
		super().__init__(
			config.host,
			port=config.port,
			timeout=config.timeout,
			password=comm_key,
			force_udp=channel.datagrams,
			ommit_ping=True,
		)
		self._ZK__sock.close()  # a socket that pyzk opens and forgets
		self.helper = _NoProbe()
		self.records: int
		self.users: int
		self.channel = channel
		self.head: int | None = None
		"""Of a buffered reading, only so many bytes from its beginning are asked for; None: all."""

	def _ZK__read_chunk(self, start: int, size: int) -> bytes:  # noqa: N802  # pyzk's `__read_chunk`
		wanted = size if self.head is None else min(size, self.head - start)
		return super()._ZK__read_chunk(start, wanted) if wanted > 0 else b""

	def _ZK__create_socket(self) -> None:  # noqa: N802  # the name that pyzk's `__create_socket` has
		self._ZK__sock = self.channel

	def acknowledge(self) -> None:
		"""Say that an event has arrived (zk-protocol `realtime.md`: our session id, reply number 0)."""
		self._ZK__ack_ok()

	@property
	def last_response(self) -> int | None:
		"""The command word of the last answer; None before the first."""
		response = getattr(self, "_ZK__response", None)
		return response if isinstance(response, int) else None


class Session:
	"""Opened by the first question, closed by `close` or by an error that leaves the exchange in doubt.

	While it is open, nobody else in this process talks to the terminal: it serves one client at a time. Only
	a session that is `share`d lets others put their questions in between, over its connection.
	"""

	def __init__(self, config: Config) -> None:
		self.tape: Tape | None = None
		"""What overhears the conversation, if anything does; to be set before the first question."""
		self._config = config
		self._where: dict[str, Any] = {"host": config.host, "port": config.port}
		self._line = line_to(config.host, config.port)
		self._terminal: Terminal | None = None
		"""Our own connection; while it is there and not shared, we have the turn."""
		self._is_shared = False
		self._refused = False

	def ask(
		self,
		what: str,
		question: Callable[[Terminal], T],
		*,
		budget: int = DEFAULT_BUDGET,
		seconds: float | None = None,
	) -> T:
		"""Put a question to the terminal, connecting first if need be.

		:param what: the subject, for the error.
		:param budget: bytes that the answer may take.
		:param seconds: time that the answer may take; the configured time-out if None.
		:raises DeviceError: whatever went wrong. After DEVICE_ERROR and NOT_SUPPORTED, which are answers, the
			conversation goes on; after everything else the next question begins a new one.
		"""
		terminal = self._enter()
		try:
			terminal.channel.tape = self.tape
			terminal.channel.settimeout(self._config.timeout)
			terminal.channel.begin(seconds=seconds or self._config.timeout, budget=budget)
			return question(terminal)
		except Exception as error:  # whatever a damaged answer makes pyzk raise
			translated = self._translate(error, terminal, what)
			if translated.code not in (Code.DEVICE_ERROR, Code.NOT_SUPPORTED):
				self._drop(terminal)
			raise translated from None
		finally:
			self._leave()

	def share(self) -> None:
		"""Keep the connection open for long, and let others in this process use it in between.

		:raises DeviceError: BUSY, if somebody else does so already.
		"""
		if self._terminal is None:
			raise DeviceError(Code.BUSY, retryable=True, **self._where)
		self._line.shared, self._line.login = self._terminal, login_of(self._config)
		self._line.abandoned, self._is_shared = None, True
		self._line.turn.release()

	def is_ringing(self, seconds: float) -> bool:
		"""Wait so long for the shared connection to bring something; whether it has, or has ended."""
		if self._terminal is None or self._terminal.channel.has_events:
			return True
		return self._terminal.channel.is_readable(seconds)

	def events(self) -> list[bytes]:
		"""Take the events that were set aside so far, also while somebody else speaks."""
		return self._terminal.channel.take_events() if self._terminal is not None else []

	def attend(self, acknowledged: int, seconds: float) -> bool:
		"""Acknowledge so many events and read what has come, as soon as it is our turn.

		:param seconds: how long to wait for the turn.
		:return: False if somebody else speaks.
		:raises DeviceError: the connection is lost.
		"""
		if not self._line.turn.acquire(timeout=seconds):
			return False
		try:
			self._attend(self._ours(), acknowledged)
		finally:
			self._line.turn.release()
		return True

	def _attend(self, terminal: Terminal, acknowledged: int) -> None:
		terminal.channel.settimeout(self._config.timeout)
		terminal.channel.begin(seconds=self._config.timeout, budget=EVENTS_BUDGET)
		try:
			for _ in range(acknowledged):
				terminal.acknowledge()
			terminal.channel.read_events()
		except Exception as error:  # whatever it was, the exchange is in doubt
			self._drop(terminal)
			code = error.code if isinstance(error, DeviceError) else Code.CONNECTION_LOST
			raise DeviceError(code, retryable=True, **self._where) from None

	def close(self) -> None:
		"""Say goodbye if the terminal still listens. Never raises."""
		if self._terminal is None:
			return
		if self._is_shared and not self._line.turn.acquire(timeout=_GOODBYE_SECONDS):
			self._line.abandoned = self._terminal
			# Whoever spoke may have finished just before that, and nobody may ever speak again.
			if not self._line.turn.acquire(blocking=False):
				self._terminal, self._is_shared = None, False
				return
		terminal = self._terminal
		if not self._is_shared or self._line.shared is terminal:
			self._say_goodbye(terminal)
		self._drop(terminal)
		self._terminal, self._is_shared = None, False
		self._line.turn.release()

	def _say_goodbye(self, terminal: Terminal) -> None:
		terminal.channel.settimeout(min(self._config.timeout, _GOODBYE_SECONDS))
		terminal.channel.begin(seconds=_GOODBYE_SECONDS)
		try:
			if self._line.shared is terminal:
				terminal.reg_event(0)
			terminal.disconnect()
		except Exception as error:  # the terminal may be gone; there is nobody to tell
			log.debug("no goodbye from %s:%s: %s", *self._where.values(), type(error).__name__)

	def _enter(self) -> Terminal:
		"""Get the turn, and the connection to speak over."""
		if self._terminal is not None and not self._is_shared:
			return self._terminal
		if self._refused:
			raise DeviceError(Code.AUTH_FAILED, **self._where)
		if not self._line.turn.acquire(timeout=self._config.timeout):
			raise DeviceError(Code.BUSY, retryable=True, **self._where)
		try:
			if self._is_shared:
				return self._ours()
			if self._line.shared is None:
				self._terminal = self._connect()
				return self._terminal
			if self._line.login != login_of(self._config):
				raise DeviceError(Code.BUSY, retryable=True, **self._where)
			return self._line.shared
		except BaseException:
			self._line.turn.release()
			raise

	def _ours(self) -> Terminal:
		"""
		:raises DeviceError: CONNECTION_LOST, if somebody else's question ended our connection.
		"""
		if self._terminal is None or self._line.shared is not self._terminal:
			raise DeviceError(Code.CONNECTION_LOST, retryable=True, **self._where)
		return self._terminal

	def _leave(self) -> None:
		"""Give the turn back, unless we have the line alone."""
		if self._terminal is None or self._is_shared:
			self._line.turn.release()
			self._end_abandoned()

	def _end_abandoned(self) -> None:
		"""Hang up for who left meanwhile. They try to get the turn after they have said so; so this looks
		after the turn was given back, or both might leave it to the other."""
		line = self._line
		if line.abandoned is None or line.shared is not line.abandoned:
			return
		if line.turn.acquire(blocking=False):
			try:
				if line.shared is not None and line.shared is line.abandoned:
					self._say_goodbye(line.shared)
					self._drop(line.shared)
			finally:
				line.turn.release()

	def _drop(self, terminal: Terminal) -> None:
		"""Close a connection; whoever shares it will notice. The turn is given back later."""
		terminal.channel.close()
		if self._line.shared is terminal:
			self._line.shared = None
		if not self._is_shared:
			self._terminal = None

	def _connect(self) -> Terminal:
		config = self._config
		channel = _open_channel(config, self.tape)
		channel.tape = self.tape
		channel.begin(seconds=config.timeout * _CONNECT_ANSWERS)
		try:
			comm_key = check_comm_key(config.comm_key.reveal()) if config.comm_key else 0
			terminal = Terminal(channel, comm_key, config)
			self._greet(terminal)
		except BaseException:
			channel.close()
			raise
		return terminal

	def _greet(self, terminal: Terminal) -> None:
		try:
			terminal.connect()
		except Exception as error:  # whatever a damaged answer makes pyzk raise
			if isinstance(error, ZKErrorResponse) and terminal.last_response == const.CMD_ACK_UNAUTH:
				# Kept in mind: a terminal locks out who guesses, so one conversation has one try.
				self._refused = True
				raise DeviceError(Code.AUTH_FAILED, **self._where) from None
			raise self._translate(error, terminal, "connection") from None

	def _translate(self, error: Exception, terminal: Terminal, what: str) -> DeviceError:
		"""The `DeviceError` for whatever a question raised."""
		if isinstance(error, DeviceError):
			return error
		if terminal.channel.failure is not None:
			return terminal.channel.failure
		response = terminal.last_response
		if isinstance(error, ZKErrorResponse) and response in _UNKNOWN_COMMAND:
			return DeviceError(Code.NOT_SUPPORTED, what=what, **self._where)
		accepted = response in (const.CMD_ACK_OK, const.CMD_PREPARE_DATA, const.CMD_DATA)
		if isinstance(error, ZKErrorResponse) and not accepted:
			return DeviceError(Code.DEVICE_ERROR, retryable=True, what=what, response=response, **self._where)
		return DeviceError(Code.GARBAGE, retryable=True, what=what, **self._where)


def _open_channel(config: Config, tape: Tape | None) -> TcpChannel | UdpChannel:
	transport = "udp" if config.transport is Transport.UDP else "tcp"
	try:
		channel = _open(transport, config)
	except ConnectionRefusedError:
		_overhear_opening(tape, transport, error="refused")
		if config.transport is Transport.TCP:
			raise unreachable(config.host, config.port) from None
		transport, channel = "udp", _open("udp", config)
	except DeviceError:
		_overhear_opening(tape, transport, error="unreachable")
		raise
	_overhear_opening(tape, transport)
	return channel


def _open(transport: str, config: Config) -> TcpChannel | UdpChannel:
	opening = open_tcp if transport == "tcp" else open_udp
	return opening(config.host, config.port, config.timeout)


def _overhear_opening(tape: Tape | None, transport: str, **error: str) -> None:
	if tape is not None:
		tape.note("opened", transport=transport, **error)
