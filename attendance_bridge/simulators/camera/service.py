"""The camera on the network: RTSP (RFC 2326), with the pictures as Motion JPEG in the same TCP connection."""

from __future__ import annotations

import contextlib
import logging
import select
import socket
import socketserver
import threading
import time

import cv2

from attendance_bridge.core.redact import Secret
from attendance_bridge.simulators.camera import rtp
from attendance_bridge.simulators.camera.state import CameraState, Trouble
from attendance_bridge.simulators.hikvision.digest import DigestGuard, Verdict

logger = logging.getLogger(__name__)

PATH = "/door"
REALM = "Door Camera"
_MAX_REQUEST = 16 * 1024
_SESSION = "1"
_SOURCE = 0x0D00_7CA7
_POLL_SECONDS = 0.02
_PUBLIC = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"


class RtspCamera:
	"""Serves a scene at `url` between `start` and `stop`; unplugged, it drops and refuses everybody."""

	def __init__(
		self,
		state: CameraState,
		*,
		host: str = "127.0.0.1",
		port: int = 0,
		user: str = "",
		password: str = "",
	) -> None:
		"""
		:param port: 0 takes a free one; the real one after `start`.
		:param user: with one, Digest authentication is asked for.
		"""
		self.state = state
		self.port = port
		self.path = PATH
		self.guard = DigestGuard(REALM, user, Secret(password), time.monotonic) if user else None
		self.refused = 0
		"""How often a wrong password came."""
		self.described = 0
		"""How often the stream was described to somebody who may see it."""
		self.stopping = threading.Event()
		self._host = host
		self._server: _Server | None = None
		self._thread: threading.Thread | None = None

	@property
	def url(self) -> str:
		return f"rtsp://{self._host}:{self.port}{self.path}"

	def start(self) -> None:
		"""
		:raises OSError: the port cannot be had.
		"""
		self.stopping.clear()
		self._server = _Server(self, self._host, self.port)
		self.port = int(self._server.server_address[1])
		self._thread = threading.Thread(
			target=self._server.serve_forever, args=(_POLL_SECONDS,), name="rtsp-camera", daemon=True
		)
		self._thread.start()

	def stop(self) -> None:
		"""End at once; every connection and thread is gone when this returns."""
		self.stopping.set()
		if self._server is not None and self._thread is not None:
			self._server.shutdown()
			self._thread.join()
			self._server.server_close()
		self._server = self._thread = None

	def is_dark(self) -> bool:
		"""Whether nobody is to get anything (any more)."""
		return self.stopping.is_set() or self.state.has(Trouble.UNPLUGGED, self.state.clock())


class _Server(socketserver.ThreadingTCPServer):
	allow_reuse_address = True
	block_on_close = True

	def __init__(self, camera: RtspCamera, host: str, port: int) -> None:
		self.camera = camera
		super().__init__((host, port), _Connection)

	def verify_request(self, request: object, client_address: object) -> bool:
		return not self.camera.is_dark()


class _Connection(socketserver.BaseRequestHandler):
	server: _Server
	request: socket.socket

	def setup(self) -> None:
		self._camera = self.server.camera
		self._received = b""
		self._channel = 0
		self._playing = False
		self._sent_number = -1
		self._sequence = 0
		self.request.settimeout(5)

	def handle(self) -> None:
		with contextlib.suppress(OSError, ValueError, UnicodeDecodeError):
			while not self._camera.is_dark():
				readable, _, _ = select.select([self.request], [], [], _POLL_SECONDS)
				if readable and not self._receive():
					return
				if self._playing:
					self._send_frame()

	def _receive(self) -> bool:
		"""Take in what came; False when the client is gone or done."""
		data = self.request.recv(65_536)
		self._received += data
		if not data or len(self._received) > _MAX_REQUEST:
			return False
		while self._received:
			if self._received[:1] == b"$":  # a report of the client about what it received
				length = int.from_bytes(self._received[2:4], "big") + 4
				if len(self._received) < length:
					return True
				self._received = self._received[length:]
				continue
			head, end, rest = self._received.partition(b"\r\n\r\n")
			if not end:
				return True
			self._received = rest
			if not self._answer(head.decode("latin-1")):
				return False
		return True

	def _answer(self, head: str) -> bool:
		first, *lines = head.split("\r\n")
		method, target, _version = first.split(" ", 2)
		headers = {
			name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
		}
		sequence = headers.get("cseq", "0")
		if method != "OPTIONS" and not self._is_let_in(headers, method, target):
			challenge = self._camera.guard.challenge() if self._camera.guard else ""
			self._reply("401 Unauthorized", sequence, f"WWW-Authenticate: {challenge}")
			return True
		if self._camera.path not in target and method != "OPTIONS":
			self._reply("404 Not Found", sequence)
			return True
		return self._act(method, sequence, headers)

	def _is_let_in(self, headers: dict[str, str], method: str, target: str) -> bool:
		guard = self._camera.guard
		if guard is None:
			return True
		verdict = guard.check(headers.get("authorization"), method, target)
		if verdict is Verdict.WRONG:
			self._camera.refused += 1
		return verdict is Verdict.GRANTED

	def _act(self, method: str, sequence: str, headers: dict[str, str]) -> bool:
		if method == "OPTIONS":
			self._reply("200 OK", sequence, f"Public: {_PUBLIC}")
		elif method == "DESCRIBE":
			self._camera.described += 1
			self._reply("200 OK", sequence, f"Content-Base: {self._camera.url}/", body=self._description())
		elif method == "SETUP":
			self._set_up(sequence, headers.get("transport", ""))
		elif method in ("PLAY", "GET_PARAMETER", "SET_PARAMETER"):
			self._playing = self._playing or method == "PLAY"
			self._reply("200 OK", sequence, f"Session: {_SESSION}")
		elif method == "TEARDOWN":
			self._reply("200 OK", sequence, f"Session: {_SESSION}")
			return False
		else:
			self._reply("405 Method Not Allowed", sequence, f"Allow: {_PUBLIC}")
		return True

	def _set_up(self, sequence: str, transport: str) -> None:
		if "TCP" not in transport:
			self._reply("461 Unsupported Transport", sequence)
			return
		_, found, channels = transport.partition("interleaved=")
		self._channel = int(channels.partition("-")[0]) if found else 0
		if not 0 <= self._channel <= 254:
			raise ValueError("no such channel")
		channels = f"{self._channel}-{self._channel + 1}"
		self._reply(
			"200 OK",
			sequence,
			f"Transport: RTP/AVP/TCP;unicast;interleaved={channels}",
			f"Session: {_SESSION};timeout=60",
		)

	def _description(self) -> str:
		return (
			"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=Door\r\nt=0 0\r\na=control:*\r\n"
			f"m=video 0 RTP/AVP {rtp.PAYLOAD_TYPE}\r\na=framerate:{self._camera.state.fps:g}\r\n"
			"a=control:track1\r\n"
		)

	def _reply(self, status: str, sequence: str, *headers: str, body: str = "") -> None:
		lines = [f"RTSP/1.0 {status}", f"CSeq: {sequence}", *headers]
		if body:
			lines += ["Content-Type: application/sdp", f"Content-Length: {len(body)}"]
		self.request.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode("latin-1"))

	def _send_frame(self) -> None:
		state = self._camera.state
		second = state.clock()
		number = state.number_at(second)
		if number == self._sent_number or state.has(Trouble.FROZEN, second):
			return
		self._sent_number = number
		written, jpeg = cv2.imencode(".jpg", state.frame(number), (cv2.IMWRITE_JPEG_QUALITY, 85))
		if not written:
			raise ValueError("no picture")
		ticks = int(number * rtp.CLOCK_RATE / state.fps)
		for packet in rtp.packets(
			jpeg.tobytes(),
			state.width,
			state.height,
			sequence=self._sequence,
			timestamp=ticks,
			source=_SOURCE,
		):
			self.request.sendall(b"$" + bytes([self._channel]) + len(packet).to_bytes(2, "big") + packet)
			self._sequence += 1
