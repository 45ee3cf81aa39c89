"""The page at the door: its video, its events, and the two things that hands can do there."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from attendance_bridge import __version__
from attendance_bridge.edge.kiosk import KioskView
from attendance_bridge.edge.pulse import Pulse
from attendance_bridge.edge.vision.events import EventType
from attendance_bridge.edge.vision.ports import Choice, LiveView
from attendance_bridge.edge.web.access.guard import needs
from attendance_bridge.edge.web.access.scopes import Scope
from attendance_bridge.edge.web.answers import dump
from attendance_bridge.edge.web.api.endpoint import ApiError, endpoint
from attendance_bridge.edge.web.kiosk_schemas import (
	ChoiceAnswer,
	ChoiceBody,
	FactorAnswer,
	FactorBody,
	KioskEvent,
	KioskStatus,
)
from attendance_bridge.edge.web.languages import choose
from attendance_bridge.edge.web.services import services
from attendance_bridge.edge.web.streams import stream

TICK_SECONDS = 1.0
"""How often a stream looks whether anything stands differently."""
HEARTBEAT_SECONDS = 15.0
"""How long a stream is silent at the most; a page that hears nothing for longer connects anew."""
VIDEO_WIDTH, VIDEO_QUALITY, VIDEO_FPS = 640, 70, 12.0
DARK_SECONDS = 10.0
"""A video without pictures for so long ends; the page asks again when the camera is back."""

_BOUNDARY = "picture"
_RUN = secrets.token_hex(4)
"""Events are numbered anew when the agent starts."""

blueprint = Blueprint("kiosk", __name__)


def _kiosk() -> KioskView:
	found = services().kiosk
	if found is None:
		abort(404)
	return found


@blueprint.get("/kiosk")
@needs(Scope.KIOSK)
def show_kiosk() -> str:
	kiosk = _kiosk()
	return render_template(
		"kiosk.html",
		here="kiosk",
		csrf=True,
		kiosk=kiosk,
		language=choose(kiosk.settings.language, request.accept_languages),
		version=__version__,
	)


@blueprint.get("/kiosk/video")
@needs(Scope.KIOSK)
def stream_video() -> Response:
	vision = _kiosk().vision
	return stream(_video(vision.live, services().pulse), f"multipart/x-mixed-replace; boundary={_BOUNDARY}")


@blueprint.get("/api/v1/kiosk/events")
@endpoint(
	Scope.KIOSK,
	summary="What happens before the camera, and how things stand",
	answer=KioskEvent(),
	events=True,
	errors={503: "too many streams are open"},
)
def stream_events() -> Response:
	kiosk = _kiosk()
	seen = _seen(request.headers.get("Last-Event-ID", ""), kiosk.vision.events.last_number)
	return stream(_events(kiosk, seen, services().pulse), "text/event-stream")


@blueprint.get("/api/v1/kiosk/status")
@endpoint(Scope.KIOSK, summary="How things stand at the door", answer=KioskStatus())
def give_status() -> Mapping[str, Any]:
	return _kiosk().status()


@blueprint.post("/api/v1/kiosk/choice")
@endpoint(
	Scope.KIOSK,
	summary="Say whether the next punch is IN or OUT",
	body=ChoiceBody(),
	answer=ChoiceAnswer(),
	errors={404: "this kiosk does not offer it"},
)
def take_choice(*, choice: str) -> dict[str, Any]:
	kiosk = _kiosk()
	if not kiosk.settings.choose_direction:
		raise ApiError(404, "not_offered")
	kiosk.vision.kiosk.choose(Choice(choice))
	return {"choice": choice, "seconds": kiosk.choice_seconds}


@blueprint.post("/api/v1/kiosk/answer")
@endpoint(
	Scope.KIOSK,
	summary="Give the PIN or the badge that somebody was asked for",
	body=FactorBody(),
	answer=FactorAnswer(),
)
def take_answer(*, ticket: str, secret: str) -> dict[str, Any]:
	return {"answer": _kiosk().vision.kiosk.answer(ticket, secret).value}


def _seen(last_event_id: str, newest: int) -> int:
	"""After which event a stream begins: where it broke off, if that was in this run of the agent."""
	of_run, _, number = last_event_id.partition("-")
	if not of_run:
		return newest
	if of_run != _RUN:
		return 0
	return min(int(number), newest) if number.isascii() and number.isdigit() and len(number) < 20 else newest


def _message(facts: Mapping[str, Any], number: str = "") -> bytes:
	head = f"id: {number}\n" if number else ""
	return f"{head}data: {dump(facts)}\n\n".encode("ascii")


def _events(kiosk: KioskView, seen: int, pulse: Pulse) -> Iterator[bytes]:
	"""Server-sent events, all with `type` and `faces`: hello, the status, and then what happens.

	Only `data` is used, no `event`: one listener hears everything, of this version and of later ones.
	"""
	events = kiosk.vision.events
	hello = {"type": "hello", "faces": [], "version": __version__, "now": kiosk.now()}
	yield b"retry: 2000\n" + _message(hello, f"{_RUN}-{seen}")
	told, told_at = kiosk.status(news=True), time.monotonic()
	yield _message(told)
	while not (events.closed or pulse.closed):
		news = events.wait(seen, TICK_SECONDS)
		for event in news:
			seen = event.number
			shown = kiosk.show(event)
			if shown is not None:
				told_at = time.monotonic()
				yield _message(shown, f"{_RUN}-{seen}")
		status = kiosk.status(news=any(event.type is not EventType.FACE for event in news))
		if status != told:
			told, told_at = status, time.monotonic()
			yield _message(told)
		elif time.monotonic() - told_at >= HEARTBEAT_SECONDS:
			told_at = time.monotonic()
			yield _message({"type": "alive", "faces": [], "now": kiosk.now()})


def _video(live: LiveView, pulse: Pulse) -> Iterator[bytes]:
	"""Motion JPEG. A part ends with the boundary of the next: a browser shows it only then."""
	yield f"--{_BOUNDARY}\r\n".encode("ascii")
	sequence, pictured_at = -1, time.monotonic()
	pause = threading.Event()
	while not pulse.closed and time.monotonic() - pictured_at < DARK_SECONDS:
		picture = live.frame_jpeg(VIDEO_WIDTH, VIDEO_QUALITY, after=sequence, timeout=TICK_SECONDS)
		if picture is None:
			continue
		sequence, pictured_at = picture.sequence, time.monotonic()
		head = f"Content-Type: image/jpeg\r\nContent-Length: {len(picture.jpeg)}\r\n\r\n"
		yield head.encode("ascii") + picture.jpeg + f"\r\n--{_BOUNDARY}\r\n".encode("ascii")
		pause.wait(1 / VIDEO_FPS)
