"""How a command that goes on is told to end."""

from __future__ import annotations

import signal
from collections.abc import Callable


def on_signals(end: Callable[[], None]) -> None:
	"""Call `end` at Ctrl-C and SIGTERM.

	:param end: it is called within a signal handler, so it may take no lock (`edge/latch.py`).
	"""
	for number in (signal.SIGINT, signal.SIGTERM):
		signal.signal(number, lambda *_: end())
