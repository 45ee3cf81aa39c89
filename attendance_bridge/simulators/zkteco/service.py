"""The sockets of a simulated ZKTeco terminal: TCP and UDP on one port number.

One thread accepts connections, serves datagrams and watches the power; each TCP connection has a thread of
its own, so that a client that reads slowly, or not at all, keeps nobody else waiting.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

from attendance_bridge.simulators.zkteco.records import LogRow
from attendance_bridge.simulators.zkteco.session import DATAGRAM_DATA, Answer, Session
from attendance_bridge.simulators.zkteco.state import ZktecoState
from attendance_bridge.simulators.zkteco.wire import (
	MAX_CHUNK,
	TCP_PREFIX,
	Command,
	MalformedPacketError,
	decode,
	length_from_prefix,
	with_prefix,
)

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
MAX_UDP_SESSIONS = 64
_TICK = 0.02
"""How often, in seconds, the faults are looked at that concern the power and the listening socket."""
_EVENT_PATIENCE = 0.2
"""How long, in seconds, an event waits for a connection that is busy sending before it is lost."""
_TINY_SIZES = (3, 5, 3, 4, 1, 7)
_TINY_PAUSE = 0.005
_ODD_SIZE = 8191

_Address = Any  # what recvfrom says of the sender


class ZktecoTerminal:
	"""Serves a state on the network, from `start` to `stop`."""

	def __init__(self, state: ZktecoState, *, host: str = "127.0.0.1", port: int = 0) -> None:
		"""
		:param port: of TCP and UDP alike; 0 takes a free one.
		"""
		self.state = state
		self._host = host
		self._port = port
		self._listener: socket.socket | None = None
		self._datagrams: socket.socket | None = None
		self._listening = False
		self._down_since: float | None = None
		self._stopping = threading.Event()
		self._network: threading.Thread | None = None
		self._lock = threading.Lock()
		self._connections: set[_Connection] = set()
		self._udp_sessions: OrderedDict[_Address, Session] = OrderedDict()

	def __enter__(self) -> ZktecoTerminal:
		self.start()
		return self

	def __exit__(self, *exc_info: object) -> None:
		self.stop()

	@property
	def port(self) -> int:
		"""The port number of both TCP and UDP; known after `start`."""
		return self._port

	@property
	def open_sessions(self) -> int:
		"""TCP connections and UDP conversations that have not ended."""
		with self._lock:
			return len(self._connections) + len(self._udp_sessions)

	def start(self) -> None:
		"""
		:raises OSError: the port is taken.
		"""
		self._listener, self._datagrams = _bind_both(self._host, self._port)
		self._port = self._listener.getsockname()[1]
		self._stopping.clear()
		self._follow_faults()
		self.state.watchers.append(self._push_event)
		self._network = threading.Thread(target=self._serve, name="zkteco-network", daemon=True)
		self._network.start()

	def stop(self) -> None:
		"""Let go of everything; a second call does nothing."""
		if self._network is None:
			return
		self._stopping.set()
		self._network.join()
		self._network = None
		self.state.watchers.remove(self._push_event)
		self._drop_connections(wait=True)
		self._udp_sessions.clear()
		for held in (self._listener, self._datagrams):
			if held is not None:
				held.close()
		self._listening = False
		self._down_since = None

	# the network thread

	def _serve(self) -> None:
		while not self._stopping.is_set():
			self._follow_faults()
			for ready in self._wait():
				if ready is self._listener:
					self._accept()
				else:
					self._serve_datagram()

	def _wait(self) -> list[Any]:
		with selectors.DefaultSelector() as selector:
			if self._datagrams is not None:
				selector.register(self._datagrams, selectors.EVENT_READ)
			if self._listening and self._listener is not None:
				selector.register(self._listener, selectors.EVENT_READ)
			return [key.fileobj for key, _ in selector.select(_TICK)]

	def _follow_faults(self) -> None:
		"""Go down, come back, stop or start listening, as the faults ask for."""
		state = self.state
		if "reboot" in state.faults and self._down_since is None:
			self._down_since = time.monotonic()
			state.rebooted()
			with self._lock:
				self._udp_sessions.clear()
			self._drop_connections(wait=False)
		if self._down_since is not None and time.monotonic() - self._down_since >= state.reboot_seconds:
			state.faults.discard("reboot")
		if "reboot" not in state.faults:
			self._down_since = None
		self._listen(wanted=not state.faults & {"reboot", "udp-only"})

	def _listen(self, *, wanted: bool) -> None:
		if self._listener is None or wanted == self._listening:
			return
		if wanted:
			self._listener.listen(MAX_CONNECTIONS)
		else:
			# A bound socket that does not listen keeps the port number ours and refuses connections.
			self._listener.close()
			self._listener = _bind(socket.SOCK_STREAM, self._host, self._port)
			self._drop_connections(wait=False)
		self._listening = wanted

	def _accept(self) -> None:
		try:
			sock, _ = self._listener.accept()  # type: ignore[union-attr]  # only called while it is there
		except OSError:
			return  # the client was gone already
		sock.setblocking(True)
		with self._lock:
			if len(self._connections) >= MAX_CONNECTIONS:
				sock.close()
				return
			connection = _Connection(self, sock)
			self._connections.add(connection)
		self.state.count("connections")
		connection.thread.start()

	def forget(self, connection: _Connection) -> None:
		"""A connection has ended."""
		with self._lock:
			self._connections.discard(connection)

	def _drop_connections(self, *, wait: bool) -> None:
		with self._lock:
			connections = tuple(self._connections)
		for connection in connections:
			connection.drop()
		for connection in connections if wait else ():
			connection.thread.join()

	# UDP

	def _serve_datagram(self) -> None:
		try:
			raw, sender = self._datagrams.recvfrom(0x10000)  # type: ignore[union-attr]  # ditto
		except OSError:
			return  # the error of an earlier datagram to a client that is gone
		faults = self.state.faults
		if "reboot" in faults or "slow" in faults:
			return
		if "garbage" in faults:
			self._send_datagram(_garbage(), sender)
			return
		try:
			packet = decode(raw)
		except MalformedPacketError:
			self.state.count("malformed")
			return
		answer = self._udp_session(sender, is_new=packet.command == Command.CONNECT).answer(packet)
		self._send_datagrams(answer, sender)
		if answer.ends:
			with self._lock:
				self._udp_sessions.pop(sender, None)
		if answer.restarts:
			faults.add("reboot")

	def _udp_session(self, sender: _Address, *, is_new: bool) -> Session:
		"""The conversation with `sender`; one that nobody opened refuses everything and is not kept."""
		with self._lock:
			session = self._udp_sessions.get(sender) or Session(self.state, data_per_packet=DATAGRAM_DATA)
			if is_new or sender in self._udp_sessions:
				self._udp_sessions[sender] = session
				self._udp_sessions.move_to_end(sender)
			if len(self._udp_sessions) > MAX_UDP_SESSIONS:
				self._udp_sessions.popitem(last=False)
			return session

	def _send_datagrams(self, answer: Answer, sender: _Address) -> None:
		packets = answer.packets
		if answer.is_big_read and "half-closed" in self.state.faults:
			packets = packets[: (len(packets) + 1) // 2]
		for packet in packets:
			self._send_datagram(packet, sender)

	def _send_datagram(self, packet: bytes, address: _Address) -> None:
		try:
			self._datagrams.sendto(packet, address)  # type: ignore[union-attr]  # ditto
		except OSError as error:
			logger.debug("datagram to %s not sent: %s", address, error)

	# events

	def _push_event(self, row: LogRow) -> None:
		with self._lock:
			connections = tuple(self._connections)
			conversations = tuple(self._udp_sessions.items())
		for connection in connections:
			connection.push_event(row)
		for address, session in conversations:
			packet = session.event(row)
			if packet is not None:
				self._send_datagram(packet, address)


class _Connection:
	"""One TCP client and its thread."""

	def __init__(self, terminal: ZktecoTerminal, sock: socket.socket) -> None:
		self._terminal = terminal
		self._state = terminal.state
		self._sock = sock
		self._session = Session(terminal.state, data_per_packet=MAX_CHUNK)
		self._sending = threading.Lock()
		self._dropped = threading.Event()
		self.thread = threading.Thread(target=self._run, name="zkteco-connection", daemon=True)

	def drop(self) -> None:
		"""End it from outside; wakes its thread from reading and from sending."""
		self._dropped.set()
		with contextlib.suppress(OSError):  # it may have ended already
			self._sock.shutdown(socket.SHUT_RDWR)

	def push_event(self, row: LogRow) -> None:
		packet = self._session.event(row)
		if packet is None:
			return
		if not self._sending.acquire(timeout=_EVENT_PATIENCE):
			self._state.count("event_lost")
			return
		try:
			self._sock.sendall(with_prefix(packet))
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
			self._terminal.forget(self)

	def _converse(self) -> None:
		for raw in self._packets():
			faults = self._state.faults
			if "reboot" in faults or self._dropped.is_set():
				return
			if "slow" in faults:
				continue
			if "garbage" in faults:
				self._send(_garbage())
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


def _garbage() -> bytes:
	"""Noise, but certainly no packet: neither the TCP prefix nor any answer code begins with a zero byte."""
	return b"\0" + os.urandom(31)


def _bind_both(host: str, port: int) -> tuple[socket.socket, socket.socket]:
	"""TCP and UDP on one port number. A free TCP port may be taken as UDP; then another is tried."""
	tries = 1 if port else 20
	while True:
		tries -= 1
		stream = _bind(socket.SOCK_STREAM, host, port)
		try:
			return stream, _bind(socket.SOCK_DGRAM, host, stream.getsockname()[1])
		except OSError:
			stream.close()
			if tries == 0:
				raise


def _bind(kind: socket.SocketKind, host: str, port: int) -> socket.socket:
	sock = socket.socket(socket.AF_INET, kind)
	try:
		if kind is socket.SOCK_STREAM:
			sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		sock.bind((host, port))
		sock.setblocking(False)
	except OSError:
		sock.close()
		raise
	return sock
