"""The agent's HTTP face: the board, its events, health and metrics. Nothing here changes anything."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from flask import Flask, Response, render_template, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from attendance_bridge.edge.pulse import Pulse

MAX_STREAMS = 12
"""Each open stream keeps one thread of the server."""
HEARTBEAT_SECONDS = 15.0
"""How long a stream is silent at the most: proxies and browsers end silent connections."""
MIN_INTERVAL_SECONDS = 0.25
"""Beats closer together than this are drawn together."""

_HOST = re.compile(r"(?:\[(?P<address>[0-9a-f:.]+)\]|(?P<name>[^:\[\]]+))(?::\d*)?")
"""A Host header: a name, or an IPv6 address in brackets, and perhaps a port."""

_HEADERS = {
	"Content-Security-Policy": (
		"default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
	),
	"X-Content-Type-Options": "nosniff",
	"Referrer-Policy": "no-referrer",
	"Cache-Control": "no-store",
}

BoardView = Callable[[], Mapping[str, Any]]
HealthView = Callable[[], Mapping[str, Any]]


def make_app(
	*,
	agent_name: str,
	board: BoardView,
	health: HealthView,
	metrics: CollectorRegistry,
	pulse: Pulse,
	trusted_hosts: Collection[str],
) -> Flask:
	"""Wire the pages.

	:param board: everything the board shows, as JSON-able data.
	:param health: what /healthz answers; its key `ok` decides between 200 and 503.
	:param trusted_hosts: the only Host headers that are answered: a web page elsewhere must not be able to
		read this one by pointing its own name here.
	"""
	app = Flask(__name__)
	app.config.update(MAX_CONTENT_LENGTH=64 * 1024)
	streams = threading.BoundedSemaphore(MAX_STREAMS)

	_guard(app, trusted_hosts)

	@app.get("/")
	def show_board() -> str:
		return render_template("board.html", agent_name=agent_name)

	@app.get("/api/v1/board")
	def give_board() -> Response:
		return _json(board())

	@app.get("/events")
	def stream_events() -> Response:
		if not streams.acquire(blocking=False):
			return Response("too many open pages\n", 503, {"Retry-After": "5"}, mimetype="text/plain")
		response = Response(_events(board, pulse), mimetype="text/event-stream")
		response.call_on_close(streams.release)
		return response

	@app.get("/healthz")
	def give_health() -> Response:
		facts = health()
		return _json(facts, 200 if facts["ok"] else 503)

	@app.get("/metrics")
	def give_metrics() -> Response:
		return Response(generate_latest(metrics), content_type=CONTENT_TYPE_LATEST)

	@app.errorhandler(404)
	def not_found(_error: Exception) -> tuple[Response, int]:
		return _json({"error": "not_found", "path": request.path[:200]}), 404

	return app


def _guard(app: Flask, trusted_hosts: Collection[str]) -> None:
	@app.before_request
	def refuse_other_hosts() -> tuple[Response, int] | None:
		# Not Flask's TRUSTED_HOSTS: it takes no IPv6 address, and before Flask 3.1 it does nothing.
		if _host_name(request.environ.get("HTTP_HOST", "")) in trusted_hosts:
			return None
		return _json({"error": "other_host"}), 400

	@app.after_request
	def harden(response: Response) -> Response:
		for name, value in _HEADERS.items():
			response.headers.setdefault(name, value)
		return response


def _host_name(header: str) -> str:
	found = _HOST.fullmatch(header.lower())
	return (found["address"] or found["name"]) if found else ""


def _dump(data: Mapping[str, Any]) -> str:
	# In ASCII: an id out of a damaged record may hold what no UTF-8 can say.
	return json.dumps(data)


def _json(data: Mapping[str, Any], status: int = 200) -> Response:
	return Response(_dump(data), status, mimetype="application/json")


def _events(board: BoardView, pulse: Pulse) -> Iterator[str]:
	"""Server-sent events: the whole board at once and after every change, a comment when all is quiet."""
	pause = threading.Event()
	seen = pulse.wait(-1, 0)
	yield f"retry: 2000\nevent: board\ndata: {_dump(board())}\n\n"
	while not pulse.closed:
		beat = pulse.wait(seen, HEARTBEAT_SECONDS)
		if beat == seen:
			yield ": quiet\n\n"
			continue
		pause.wait(MIN_INTERVAL_SECONDS)
		seen = pulse.wait(-1, 0)
		yield f"event: board\ndata: {_dump(board())}\n\n"
