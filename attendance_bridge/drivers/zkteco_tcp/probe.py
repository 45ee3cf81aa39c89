"""Who is at an address: without a comm key, or with one that other terminals here have.

pyzk answers a terminal that asks for a comm key with the key 0, which is a try. So the few packets are spelt
here: a terminal that lets nobody in is named by its address, and not known by its serial number then. A wrong
key ends a connection; only a few are tried, each once, and none is written anywhere.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from zk.base import make_commkey

from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.errors import DeviceError
from attendance_bridge.core.punch import MAX_SERIAL_LENGTH
from attendance_bridge.core.redact import Secret
from attendance_bridge.drivers.zkteco_tcp.channel import TcpChannel, open_tcp
from attendance_bridge.drivers.zkteco_tcp.config import check_comm_key
from attendance_bridge.drivers.zkteco_tcp.line import line_to

PORT = 4370
_HEADER = struct.Struct("<4H")
_TOP = struct.Struct("<4sI")
_MAGIC = b"\x50\x50\x82\x7d"
_CONNECT, _EXIT, _OPTION, _AUTH, _OK, _NOT_WITHOUT_KEY = 1000, 1001, 11, 1102, 2000, 2005
MOST_KEYS = 3
"""That are tried at one terminal."""
_MAX_TEXT = 140
_BUDGET = 16 * 1024


class _LockedError(Exception):
	"""It is a terminal, and wants a key first, or another one."""


def probe(
	host: str, seconds: float, *, port: int = PORT, keys: Iterable[Secret] = ()
) -> tuple[int, DeviceInfo | None] | None:
	"""The port and who it is; no `DeviceInfo` if it wants a key, and none of these. None if nobody answers.

	A terminal that somebody in this process speaks with is not disturbed: None as well.

	:param seconds: for each answer.
	:param keys: comm keys, likeliest first; of more than MOST_KEYS different ones the rest is not tried.
	"""
	line = line_to(host, port)
	if not line.turn.acquire(blocking=False):
		return None
	try:
		if line.shared is not None:
			return None
		is_there = False
		for key in (None, *_distinct(keys)):
			try:
				info = _connect(host, port, seconds, key)
			except _LockedError:
				is_there = True
				continue
			return (port, info) if info is not None else None
		return (port, None) if is_there else None
	except (DeviceError, ConnectionRefusedError):
		return (port, None) if is_there else None
	finally:
		line.turn.release()


def _distinct(keys: Iterable[Secret]) -> list[int]:
	"""As numbers; 0 is what a terminal without a key goes by, and was tried."""
	numbers = dict.fromkeys(check_comm_key(key.reveal()) for key in keys)
	numbers.pop(0, None)
	return list(numbers)[:MOST_KEYS]


def _connect(host: str, port: int, seconds: float, key: int | None) -> DeviceInfo | None:
	"""
	:raises _LockedError: it lets nobody in so.
	"""
	channel = open_tcp(host, port, seconds)
	try:
		return _ask(_Conversation(channel, seconds), key)
	finally:
		channel.close()


def _ask(conversation: _Conversation, key: int | None) -> DeviceInfo | None:
	if conversation.ask(_CONNECT) is None:
		if conversation.code != _NOT_WITHOUT_KEY:
			return None
		if key is None or conversation.log_in(key) is None:
			conversation.ask(_EXIT)
			raise _LockedError
	try:
		serial = conversation.option("~SerialNumber")
		if not 0 < len(serial) <= MAX_SERIAL_LENGTH:
			return None
		return DeviceInfo(serial=serial, model=conversation.option("~DeviceName"))
	finally:
		conversation.ask(_EXIT)


class _Conversation:
	def __init__(self, channel: TcpChannel, seconds: float) -> None:
		self._channel = channel
		self._seconds = seconds
		self._session = 0
		self._reply = 0
		self.code = 0
		"""Of the last answer."""

	def log_in(self, key: int) -> bytes | None:
		return self.ask(_AUTH, make_commkey(key, self._session))

	def option(self, name: str) -> str:
		"""A text of the terminal's configuration; empty if it does not say."""
		answer = self.ask(_OPTION, name.encode() + b"\0") or b""
		text = answer.partition(b"=")[2].split(b"\0")[0].decode("utf-8", "replace").strip()
		return text[:_MAX_TEXT] if text.isprintable() else ""

	def ask(self, command: int, data: bytes = b"") -> bytes | None:
		"""The data of the answer; None if it is no OK.

		:raises DeviceError: the connection failed.
		"""
		self._channel.begin(seconds=self._seconds, budget=_BUDGET)
		head = _HEADER.pack(command, 0, self._session, self._reply)
		packet = _HEADER.pack(command, _checksum(head + data), self._session, self._reply) + data
		self._channel.send(_TOP.pack(_MAGIC, len(packet)) + packet)
		answer = self._channel.recv(_BUDGET)[_TOP.size :]
		self.code, _sum, session, _reply = _HEADER.unpack_from(answer)
		self._session, self._reply = session, self._reply + 1
		return answer[_HEADER.size :] if self.code == _OK else None


def _checksum(packet: bytes) -> int:
	"""Ones' complement of the ones'-complement sum of the words (zk-protocol `protocol.md`)."""
	return 0xFFFF - (int.from_bytes(packet, "little") % 0xFFFF or 0xFFFF)
