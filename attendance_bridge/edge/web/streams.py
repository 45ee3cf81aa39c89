"""Answers that do not end: bounded together, so that they never keep the rest waiting."""

from __future__ import annotations

import threading
from collections.abc import Iterator

from flask import Flask, Response, current_app

MAX_STREAMS = 12
"""Each open stream keeps one thread of the server."""


def install(app: Flask) -> None:
	"""Give an app its share of streams."""
	app.extensions["attendance_bridge_streams"] = threading.BoundedSemaphore(MAX_STREAMS)


def stream(parts: Iterator[str] | Iterator[bytes], mimetype: str) -> Response:
	"""An answer that goes on until the browser leaves or the agent ends; 503 when there are too many.

	Every view whose answer lasts (events, video) answers with this.
	"""
	places: threading.BoundedSemaphore = current_app.extensions["attendance_bridge_streams"]
	if not places.acquire(blocking=False):
		return Response("too many open pages\n", 503, {"Retry-After": "5"}, mimetype="text/plain")
	response = Response(parts, mimetype=mimetype)
	response.call_on_close(places.release)
	return response
