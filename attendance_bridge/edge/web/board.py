"""The board, its events, health and metrics. Nothing here changes anything."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, render_template
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.web.access.guard import needs, public
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.answers import dump, json_answer
from attendance_bridge.edge.web.api import schemas
from attendance_bridge.edge.web.api.endpoint import endpoint
from attendance_bridge.edge.web.services import BoardView, services
from attendance_bridge.edge.web.streams import stream

HEARTBEAT_SECONDS = 15.0
"""How long a stream is silent at the most: proxies and browsers end silent connections."""
MIN_INTERVAL_SECONDS = 0.25
"""Beats closer together than this are drawn together."""

blueprint = Blueprint("board", __name__)


@blueprint.get("/")
@needs(Scope.KIOSK, Scope.VIEW)
def show_board() -> str:
	return render_template("board.html", here="board")


@blueprint.get("/api/v1/board")
@endpoint(Scope.KIOSK, Scope.VIEW, summary="All that the board shows", answer=schemas.Board())
def give_board() -> Mapping[str, Any]:
	return services().board()


@blueprint.get("/events")
@needs(Scope.KIOSK, Scope.VIEW)
def stream_events() -> Response:
	return stream(_events(services().board, services().pulse), "text/event-stream")


@blueprint.get("/healthz")
@public
def give_health() -> Response:
	facts = services().health()
	return json_answer(facts, 200 if facts["ok"] else 503)


@blueprint.get("/metrics")
@needs(Scope.KIOSK, Scope.VIEW)
def give_metrics() -> Response:
	return Response(generate_latest(services().metrics), content_type=CONTENT_TYPE_LATEST)


def _events(board: BoardView, pulse: Pulse) -> Iterator[str]:
	"""Server-sent events: the whole board at once and after every change, a comment when all is quiet."""
	pause = threading.Event()
	seen = pulse.wait(-1, 0)
	yield f"retry: 2000\nevent: board\ndata: {dump(board())}\n\n"
	while not pulse.closed:
		beat = pulse.wait(seen, HEARTBEAT_SECONDS)
		if beat == seen:
			yield ": quiet\n\n"
			continue
		pause.wait(MIN_INTERVAL_SECONDS)
		seen = pulse.wait(-1, 0)
		yield f"event: board\ndata: {dump(board())}\n\n"
