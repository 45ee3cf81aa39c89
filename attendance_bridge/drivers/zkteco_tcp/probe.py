"""Who is at an address, without a comm key.

pyzk answers a terminal that asks for a comm key with the key 0, which is a try. So the few packets are spelt
here: a terminal that lets nobody in without is left alone, and not known by its serial number then.
"""

from __future__ import annotations

import struct

from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.errors import DeviceError
from attendance_bridge.core.punch import MAX_SERIAL_LENGTH
from attendance_bridge.drivers.zkteco_tcp.channel import TcpChannel, open_tcp
from attendance_bridge.drivers.zkteco_tcp.line import line_to

PORT = 4370
_HEADER = struct.Struct("<4H")
_TOP = struct.Struct("<4sI")
_MAGIC = b"\x50\x50\x82\x7d"
_CONNECT, _EXIT, _OPTION, _OK = 1000, 1001, 11, 2000
_MAX_TEXT = 140
_BUDGET = 16 * 1024


def probe(host: str, seconds: float, *, port: int = PORT) -> tuple[int, DeviceInfo] | None:
	"""The port and who it is; None if nobody answers there, or wants a key first.

	A terminal that somebody in this process speaks with is not disturbed: None as well.

	:param seconds: for each answer.
	"""
	line = line_to(host, port)
	turn = line.turn
	if not turn.acquire(blocking=False):
		return None
	if line.shared is not None:
		turn.release()
		return None
	try:
		channel = open_tcp(host, port, seconds)
	except (DeviceError, ConnectionRefusedError):
		turn.release()
		return None
	try:
		info = _ask(channel, seconds)
	except DeviceError:
		return None
	finally:
		channel.close()
		turn.release()
	return (port, info) if info is not None else None


def _ask(channel: TcpChannel, seconds: float) -> DeviceInfo | None:
	conversation = _Conversation(channel, seconds)
	if conversation.ask(_CONNECT) is None:
		return None
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
		code, _sum, session, _reply = _HEADER.unpack_from(answer)
		self._session, self._reply = session, self._reply + 1
		return answer[_HEADER.size :] if code == _OK else None


def _checksum(packet: bytes) -> int:
	"""Ones' complement of the ones'-complement sum of the words (zk-protocol `protocol.md`)."""
	return 0xFFFF - (int.from_bytes(packet, "little") % 0xFFFF or 0xFFFF)
