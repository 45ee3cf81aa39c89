"""Answers that do not end: bounded together, so that they never keep the rest waiting, and for each."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

from flask import Flask, Response, current_app

from attendance_bridge.edge.web.access.guard import caller, standing
from attendance_bridge.edge.web.access.scopes import Caller

MAX_STREAMS = 12
"""Each open stream keeps one thread of the server."""
MOST_ELSEWHERE = 9
"""The rest is for the screen of this machine: the kiosk must not lose its place to somebody's browser."""
MOST_OF_ONE = 6
"""Of one account, or one key, however many browsers it has open."""

LOOK_SECONDS = 5.0
"""How often to look whether somebody may still see what a stream shows."""

Part = TypeVar("Part", str, bytes)


class Streams:
	"""Who has how many. Safe to use from any thread."""

	def __init__(self) -> None:
		self._lock = threading.Lock()
		self._here = 0
		self._elsewhere: Counter[str] = Counter()

	def take(self, asking: Caller) -> bool:
		"""Whether there is a place; if so, `release` follows."""
		with self._lock:
			elsewhere = self._elsewhere.total()
			if self._here + elsewhere >= MAX_STREAMS:
				return False
			if asking.is_here:
				self._here += 1
				return True
			name = asking.who or asking.address
			if elsewhere >= MOST_ELSEWHERE or self._elsewhere[name] >= MOST_OF_ONE:
				return False
			self._elsewhere[name] += 1
			return True

	def release(self, asking: Caller) -> None:
		with self._lock:
			if asking.is_here:
				self._here -= 1
				return
			name = asking.who or asking.address
			self._elsewhere[name] -= 1
			if not self._elsewhere[name]:
				del self._elsewhere[name]


def install(app: Flask) -> None:
	"""Give an app its share of streams."""
	app.extensions["attendance_bridge_streams"] = Streams()


def _while_allowed(parts: Iterator[Part], still_may: Callable[[], bool]) -> Iterator[Part]:
	"""The parts, as long as whoever is shown them may see them."""
	looked_at = time.monotonic()
	for part in parts:
		now = time.monotonic()
		if now - looked_at >= LOOK_SECONDS:
			looked_at = now
			if not still_may():
				return
		yield part


def stream(parts: Iterator[Part], mimetype: str) -> Response:
	"""An answer that goes on until the browser leaves, who asked may see it no more, or the agent ends; 503
	when there are too many.

	Every view whose answer lasts (events, video) answers with this.
	"""
	streams: Streams = current_app.extensions["attendance_bridge_streams"]
	asking = caller()
	if not streams.take(asking):
		return Response("too many open pages\n", 503, {"Retry-After": "5"}, mimetype="text/plain")
	response = Response(_while_allowed(parts, standing()), mimetype=mimetype)
	response.call_on_close(lambda: streams.release(asking))
	return response
