"""The sockets of a simulated ZKTeco terminal: TCP and UDP on one port number.

One thread accepts connections, serves datagrams and watches the power; each TCP connection has a thread of
its own, so that a client that reads slowly, or not at all, keeps nobody else waiting.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections import OrderedDict
from typing import Any

from attendance_bridge.simulators.zkteco.connection import Connection, garbage
from attendance_bridge.simulators.zkteco.records import LogRow
from attendance_bridge.simulators.zkteco.session import DATAGRAM_DATA, Answer, Session
from attendance_bridge.simulators.zkteco.state import ZktecoState
from attendance_bridge.simulators.zkteco.wire import (
	Command,
	MalformedPacketError,
	decode,
)

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 64
MAX_UDP_SESSIONS = 64
_TICK = 0.02
"""How often, in seconds, the faults are looked at that concern the power and the listening socket."""
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
		self._connections: set[Connection] = set()
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
			self._end_unacknowledged()
			for ready in self._wait():
				if ready is self._listener:
					self._accept()
				else:
					self._serve_datagram()

	def _wait(self) -> list[Any]:
		with selectors.DefaultSelector() as selector:
			if self._datagrams is not None:
				selector.register(self._datagrams, selectors.EVENT_READ)
			is_busy = "one-connection" in self.state.faults and bool(self._connections)
			if self._listening and self._listener is not None and not is_busy:
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
			is_refused = "second-refused" in self.state.faults and bool(self._connections)
			if is_refused or len(self._connections) >= MAX_CONNECTIONS:
				sock.close()
				self.state.counters["turned_away_client"] += is_refused
				return
			connection = Connection(self.state, sock, self.forget)
			self._connections.add(connection)
		self.state.count("connections")
		connection.thread.start()

	def forget(self, connection: Connection) -> None:
		"""A connection has ended."""
		with self._lock:
			self._connections.discard(connection)

	def _end_unacknowledged(self) -> None:
		if "ack-or-end" not in self.state.faults:
			return
		with self._lock:
			unheard = [connection for connection in self._connections if connection.has_gone_unheard()]
		for connection in unheard:
			self.state.count("unacknowledged")
			connection.drop()

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
			self._send_datagram(garbage(), sender)
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
