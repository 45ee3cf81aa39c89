"""The sockets below pyzk.

pyzk takes whatever one `recv` returns for a whole packet, spins for ever when the other side has closed,
believes every 32-bit length, and shows no IPv6. A channel stands where pyzk expects a socket and answers with
whole packets, with an error on a closed connection, and within a bound of bytes and seconds.

A terminal that was asked to tell events sends them at any moment, also in the middle of an answer: they are
packets of their own (`CMD_REG_EVENT`), set aside here and never given to pyzk.

Framing (pyzk `__create_tcp_top`, adrobinoga/zk-protocol): on TCP each packet follows eight bytes: 50 50 82 7d
and the length of the packet as 32 bits, little endian. On UDP a datagram is a packet. A packet begins with
four 16-bit words: command, checksum, session id, reply id.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from collections import deque
from typing import Any, NoReturn

from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.recording import Tape

_TOP = struct.Struct("<4sI")
_MAGIC = b"\x50\x50\x82\x7d"
_HEADER_SIZE = 8
_HEADER = struct.Struct("<4H")
_EVENT_COMMAND = 500
_MAX_EVENT = 4096
_MAX_EVENTS = 10_000
"""Set aside at most; of more, the latest are kept and a pull brings the rest."""
_PIECE = 65_536

EVENTS_BUDGET = 1024 * 1024
"""Bytes of events that are read at a time."""
DEFAULT_BUDGET = 65_536
"""Bytes that the answer to one question may take, unless it is the log or the user list."""


class Channel:
	"""What TCP and UDP share: the bounds of one exchange, and errors as `DeviceError`."""

	datagrams = False

	def __init__(self, sock: socket.socket, host: str, port: int, timeout: float) -> None:
		self.tape: Tape | None = None
		"""What overhears the conversation, if anything does."""
		self._sock = sock
		self._where: dict[str, Any] = {"host": host, "port": port}
		self._timeout = timeout
		self._heard = False
		self.failure: DeviceError | None = None
		"""What ended the channel's use. pyzk turns exceptions into its own and keeps only their text."""
		self._events: deque[bytes] = deque(maxlen=_MAX_EVENTS)
		self.begin(seconds=timeout)

	def begin(self, *, seconds: float, budget: int = DEFAULT_BUDGET) -> None:
		"""Start an exchange that may take so many seconds and bytes."""
		self._deadline = time.monotonic() + seconds
		self._limit = budget
		self._received = 0

	def settimeout(self, timeout: float) -> None:
		"""Seconds of silence that are borne."""
		self._timeout = timeout

	def close(self) -> None:
		self._sock.close()

	@property
	def has_events(self) -> bool:
		"""Whether there are some to take."""
		return bool(self._events)

	def take_events(self) -> list[bytes]:
		"""The event packets that were set aside, from the header on. Safe while another thread reads."""
		taken: list[bytes] = []
		while self._events and len(taken) < _MAX_EVENTS:
			taken.append(self._events.popleft())
		return taken

	def is_readable(self, seconds: float) -> bool:
		"""Wait so long for something to come; True as well if the connection has ended.

		Touches no time-out: another thread may be reading.
		"""
		number = self._sock.fileno()
		if number < 0:
			return True
		waiting = select.poll()
		waiting.register(number, select.POLLIN)
		return bool(waiting.poll(seconds * 1000))

	def read_events(self) -> None:
		"""Read what has come unasked. What is no event answers a question that was given up."""
		while self.is_readable(0) and self._received < self._limit // 2:
			self._read_unasked()

	def _read_unasked(self) -> None:
		raise NotImplementedError

	def _set_aside(self, packet: bytes) -> None:
		self._events.append(packet)

	def _send_all(self, packet: bytes) -> None:
		try:
			self._sock.settimeout(self._timeout)
			self._sock.sendall(packet)
		except OSError as error:
			self._overhear_failure(error)
			self._fail(self._code_of(error))
		if self.tape is not None:
			self.tape.note("sent", data=packet)

	def _receive(self, size: int) -> bytes:
		"""What one `recv` gives, at least one byte."""
		patience = min(self._timeout, self._deadline - time.monotonic())
		if patience <= 0:
			self._overhear_failure(TimeoutError())
			self._fail(Code.TIMEOUT)
		try:
			self._sock.settimeout(patience)
			received = self._sock.recv(size)
		except OSError as error:
			self._overhear_failure(error)
			self._fail(self._code_of(error))
		if self.tape is not None:
			self.tape.note("received", data=received)  # nothing at all if the other side has closed
		if not received:
			self._fail(Code.CONNECTION_LOST)
		self._received += len(received)
		if self._received > self._limit:
			self._fail(Code.TOO_LARGE, retryable=False, limit=self._limit)
		self._heard = True
		return received

	def _overhear_failure(self, error: OSError) -> None:
		if self.tape is not None:
			self.tape.note("failed", error="timeout" if isinstance(error, TimeoutError) else "lost")

	def _code_of(self, error: OSError) -> Code:
		# On UDP nobody can refuse a connection: that nothing is there shows at the first question.
		if self.datagrams and not self._heard:
			return Code.UNREACHABLE
		return Code.TIMEOUT if isinstance(error, TimeoutError) else Code.CONNECTION_LOST

	def _fail(self, code: Code, *, retryable: bool = True, **details: Any) -> NoReturn:
		self.failure = DeviceError(code, retryable=retryable, **details, **self._where)
		raise self.failure


class TcpChannel(Channel):
	"""A byte stream, handed out packet by packet: a `recv` never spans two packets."""

	def __init__(self, sock: socket.socket, host: str, port: int, timeout: float) -> None:
		super().__init__(sock, host, port, timeout)
		self._left = 0
		"""Bytes of the current packet that have not been handed out."""

	def send(self, packet: bytes) -> int:
		# pyzk asks for 16 bytes where it expects a bare acknowledgement; what a firmware adds to it would be
		# taken for the beginning of the next answer.
		while self._left:
			self._rest(self._left)
		self._send_all(packet)
		return len(packet)

	def recv(self, size: int) -> bytes:
		"""The next packet with its top, or as much of the current one as fits `size`; never an event."""
		if self._left:
			return self._rest(size)
		if size < _TOP.size + _HEADER_SIZE:
			self._fail(Code.GARBAGE, what="packet")
		while True:
			top, header, length = self._begin_packet()
			if not self._is_event(header):
				break
			self._finish_event(header, length)
		taken = min(size - _TOP.size, length) - _HEADER_SIZE
		packet = header + self._exactly(taken)
		self._left = length - len(packet)
		return top + packet

	def _begin_packet(self) -> tuple[bytes, bytes, int]:
		"""Its top, its header, and its length with the header."""
		top = self._exactly(_TOP.size)
		magic, length = _TOP.unpack(top)
		if magic != _MAGIC or length < _HEADER_SIZE:
			self._fail(Code.GARBAGE, what="packet")
		return top, self._exactly(_HEADER_SIZE), length

	@staticmethod
	def _is_event(header: bytes) -> bool:
		return int(_HEADER.unpack(header)[0]) == _EVENT_COMMAND

	def _finish_event(self, header: bytes, length: int) -> None:
		if length > _MAX_EVENT:
			self._fail(Code.GARBAGE, what="event")
		self._set_aside(header + self._exactly(length - _HEADER_SIZE))

	def _read_unasked(self) -> None:
		while self._left:
			self._rest(self._left)
		_top, header, length = self._begin_packet()
		if self._is_event(header):
			self._finish_event(header, length)
			return
		self._left = length - _HEADER_SIZE
		while self._left:
			self._rest(self._left)

	def _rest(self, size: int) -> bytes:
		received = self._receive(min(size, self._left, _PIECE))
		self._left -= len(received)
		return received

	def _exactly(self, size: int) -> bytes:
		parts: list[bytes] = []
		while size:
			part = self._receive(min(size, _PIECE))
			size -= len(part)
			parts.append(part)
		return b"".join(parts)


class UdpChannel(Channel):
	"""Datagrams from one peer. Nothing is asked again: a lost datagram shows as silence or as a short log."""

	datagrams = True

	def sendto(self, packet: bytes, _address: object) -> int:
		# The socket is connected, so that nobody else's datagrams are heard.
		self._send_all(packet)
		return len(packet)

	def recv(self, _size: int) -> bytes:
		"""The next datagram, whole; never an event."""
		while self._is_event(datagram := self._datagram()):
			self._set_aside(datagram)
		return datagram

	def _datagram(self) -> bytes:
		datagram = self._receive(_PIECE)
		if len(datagram) < _HEADER_SIZE:
			self._fail(Code.GARBAGE, what="packet")
		return datagram

	@staticmethod
	def _is_event(datagram: bytes) -> bool:
		return int(_HEADER.unpack_from(datagram)[0]) == _EVENT_COMMAND

	def _read_unasked(self) -> None:
		datagram = self._datagram()
		if self._is_event(datagram):
			self._set_aside(datagram)


def open_tcp(host: str, port: int, timeout: float) -> TcpChannel:
	"""
	:raises ConnectionRefusedError: the host is there and nobody listens on the port.
	:raises DeviceError: UNREACHABLE.
	"""
	try:
		sock = socket.create_connection((host, port), timeout)
	except ConnectionRefusedError:
		raise
	except OSError as error:
		raise unreachable(host, port) from error
	return TcpChannel(sock, host, port, timeout)


def open_udp(host: str, port: int, timeout: float) -> UdpChannel:
	"""
	:raises DeviceError: UNREACHABLE: the name is unknown or there is no route.
	"""
	try:
		family, kind, proto, _name, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
		sock = socket.socket(family, kind, proto)
	except OSError as error:
		raise unreachable(host, port) from error
	try:
		sock.connect(address)
	except OSError as error:
		sock.close()
		raise unreachable(host, port) from error
	return UdpChannel(sock, host, port, timeout)


def unreachable(host: str, port: int) -> DeviceError:
	return DeviceError(Code.UNREACHABLE, retryable=True, host=host, port=port)
