"""The line to one terminal, as everybody in this process shares it.

A terminal serves one client at a time. Who only asks has the line alone, from the first question to the last.
Who listens keeps it open for days, so others ask their questions over the same connection, one at a time;
events that come in between are set aside by the channel.
"""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from attendance_bridge.drivers.zkteco_tcp.config import Config

if TYPE_CHECKING:
	from attendance_bridge.drivers.zkteco_tcp.session import Terminal


class Line:
	"""One terminal's."""

	def __init__(self) -> None:
		self.turn = threading.Lock()
		"""Held by whoever speaks."""
		self.shared: Terminal | None = None
		"""The connection of whoever listens. To be read and written only by who has the turn."""
		self.login: tuple[object, ...] = ()
		"""What it was opened with: others may use it only if they would have opened it so."""
		self.abandoned: Terminal | None = None
		"""Who listened over it has gone while somebody else spoke: the last to speak hangs up."""


def login_of(config: Config) -> tuple[object, ...]:
	"""What tells whether two conversations could be one."""
	return config.comm_key, config.transport


_lines: weakref.WeakValueDictionary[tuple[str, int], Line] = weakref.WeakValueDictionary()
_guard = threading.Lock()


def line_to(host: str, port: int) -> Line:
	"""The one line to a terminal. It lives as long as a conversation holds it, forgotten ones included."""
	with _guard:
		line = _lines.get((host.lower(), port))
		if line is None:
			line = _lines[host.lower(), port] = Line()
		return line
