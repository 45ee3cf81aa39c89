"""One TCP client of a simulated ZKTeco terminal, in a thread of its own."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

from attendance_bridge.simulators.zkteco.records import LogRow
from attendance_bridge.simulators.zkteco.session import Session
from attendance_bridge.simulators.zkteco.state import ZktecoState
from attendance_bridge.simulators.zkteco.wire import (
	MAX_CHUNK,
	TCP_PREFIX,
	MalformedPacketError,
	decode,
	length_from_prefix,
	with_prefix,
)

logger = logging.getLogger(__name__)

_EVENT_PATIENCE = 0.2
"""How long, in seconds, an event waits for a connection that is busy sending before it is lost."""
_FAULTY_EVERY = 3
"""Every third event is the one that some faults hit."""
_TINY_SIZES = (3, 5, 3, 4, 1, 7)
_TINY_PAUSE = 0.005
_ODD_SIZE = 8191


class Connection:
	"""One TCP client and its thread."""

	def __init__(self, state: ZktecoState, sock: socket.socket, forget: Callable[[Connection], None]) -> None:
		"""
		:param forget: called with it when it has ended.
		"""
		self._forget = forget
		self._state = state
		self._sock = sock
		self._session = Session(state, data_per_packet=MAX_CHUNK)
		self._sending = threading.Lock()
		self._dropped = threading.Event()
		self._events = 0
		self._held = b""
		self._told_at: float | None = None
		self.thread = threading.Thread(target=self._run, name="zkteco-connection", daemon=True)

	def drop(self) -> None:
		"""End it from outside; wakes its thread from reading and from sending."""
		self._dropped.set()
		with contextlib.suppress(OSError):  # it may have ended already
			self._sock.shutdown(socket.SHUT_RDWR)

	def push_event(self, row: LogRow) -> None:
		faults = self._state.faults
		packet = self._session.event(row)
		if packet is None:
			return
		self._events += 1
		if self._events % _FAULTY_EVERY == 0 and faults & {"missed-events", "event-drops"}:
			self._state.count("event_lost")
			if "event-drops" in faults:
				self.drop()
			return
		stream = with_prefix(packet)
		other = self._session.other_event(row) if "other-events" in faults else None
		if other is not None:
			stream = with_prefix(other) + stream
		if "joined-events" in faults and not self._held:
			self._held = stream
			return
		stream, self._held = self._held + stream, b""
		if self._told_at is None:
			self._told_at = time.monotonic()
		self._send_event(stream)

	def has_gone_unheard(self) -> bool:
		"""Whether it was told of an event that it should have acknowledged by now."""
		if self._session.unacknowledged == 0:
			self._told_at = None
		return self._told_at is not None and time.monotonic() - self._told_at > self._state.ack_seconds

	def _send_event(self, stream: bytes) -> None:
		if not self._sending.acquire(timeout=_EVENT_PATIENCE):
			self._state.count("event_lost")
			return
		try:
			pieces = _tiny_pieces(stream) if "event-pieces" in self._state.faults else (stream,)
			for piece in pieces:
				self._sock.sendall(piece)
				if piece is not stream:
					self._dropped.wait(_TINY_PAUSE)
		except OSError:
			self._state.count("event_lost")
		finally:
			self._sending.release()

	def _run(self) -> None:
		try:
			self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
			self._converse()
		except MalformedPacketError as error:
			self._state.count("malformed")
			logger.debug("connection closed: malformed %s", error)
		except OSError as error:
			logger.debug("connection lost: %s", error)
		finally:
			self._sock.close()
			self._forget(self)

	def _converse(self) -> None:
		for raw in self._packets():
			faults = self._state.faults
			if "reboot" in faults or self._dropped.is_set():
				return
			if "slow" in faults:
				continue
			if "garbage" in faults:
				self._send(garbage())
				continue
			answer = self._session.answer(decode(raw))
			stream = b"".join(map(with_prefix, answer.packets))
			if answer.is_big_read and "half-closed" in faults:
				self._send(stream[: len(stream) // 2])
				return
			self._send(stream)
			if answer.restarts:
				faults.add("reboot")
			if answer.ends or answer.restarts:
				return

	def _packets(self) -> Iterator[bytes]:
		while True:
			prefix = self._receive(TCP_PREFIX.size)
			if not prefix:
				return
			yield self._receive(length_from_prefix(prefix))

	def _receive(self, size: int) -> bytes:
		"""Exactly `size` bytes; none if the client has gone before the first.

		:raises ConnectionError: it has gone in the middle.
		"""
		received = b""
		while len(received) < size:
			part = self._sock.recv(size - len(received))
			if not part:
				if received:
					raise ConnectionError("the client left in the middle of a packet")
				return b""
			received += part
		return received

	def _send(self, stream: bytes) -> None:
		with self._sending:
			if "short-read" not in self._state.faults:
				self._sock.sendall(stream)
				return
			for piece in _tiny_pieces(stream):
				self._sock.sendall(piece)
				if len(piece) < _ODD_SIZE:
					self._dropped.wait(_TINY_PAUSE)


def _tiny_pieces(stream: bytes) -> Iterator[bytes]:
	"""A few bytes at a time as far as prefix and header go, then pieces that end inside of records."""
	start = 0
	for size in _TINY_SIZES:
		yield stream[start : start + size]
		start += size
	for place in range(start, len(stream), _ODD_SIZE):
		yield stream[place : place + _ODD_SIZE]


def garbage() -> bytes:
	"""Noise, but certainly no packet: neither the TCP prefix nor any answer code begins with a zero byte."""
	return b"\0" + os.urandom(31)
