"""Where terminals call the site by themselves: `/iclock/…` of ZKTeco, and the listener of Hikvision.

Frappe's hook `page_renderer`: for every page of the site it is asked whether it is one of ours, by its path
alone. A terminal has no session and no CSRF token; what it may do is decided here and in `zkteco_adms`, and
it is answered as Guest. The answer goes out after the commit of what it acknowledges, and without cookies.
"""

from __future__ import annotations

import contextlib
import logging
import re
from datetime import datetime, timezone
from email.utils import format_datetime
from typing import Any

import frappe
from werkzeug.exceptions import ClientDisconnected
from werkzeug.wrappers import Response

from attendance_bridge.bench import (
	afterwards,
	allowance,
	confidential,
	listener,
	moments,
	networks,
	push_settings,
)
from attendance_bridge.bench.push_desk import SiteDesk
from attendance_bridge.drivers.zkteco_adms.receiver import Receiver
from attendance_bridge.drivers.zkteco_adms.wire import Reply, Request

logger = logging.getLogger(__name__)

_PUSH_PATH = re.compile(r"/*(?:[A-Za-z0-9_-]{8,128}/)?iclock(?:/[^/]*){0,2}/*")
"""With the token of a terminal before or behind "iclock"."""

MOST_CALLS_OF_AN_ADDRESS = 20_000
"""In a minute. A branch of many terminals may call from one address."""
_STRANGERS = 200
"""Calls in a minute that one address may make which a terminal, or its token, does not let in."""

LONGEST_WAIT_SECONDS = 10
"""For a row that another transaction holds."""

_receivers: dict[str, Receiver] = {}
"""By site: a worker process serves several."""


class TerminalPage:
	"""Answers what terminals ask for."""

	def __init__(self, path: str, http_status_code: int | None = None) -> None:
		"""
		:param path: as Frappe resolved it; what counts is the one that was asked for.
		"""
		self._request = getattr(frappe.local, "request", None)

	def can_render(self) -> bool:
		"""Whether the page is one of ours: nothing is looked up for that."""
		path = getattr(self._request, "path", "")
		return bool(_PUSH_PATH.fullmatch(path)) or listener.is_path(path)

	def render(self) -> Response:
		"""The answer. Never raises: a terminal that gets a page of words goes on as if all were well."""
		request: Any = self._request
		try:
			# Who waits longer is told to come again: another one's lock must not use up the web workers.
			frappe.db.sql(f"SET SESSION innodb_lock_wait_timeout = {LONGEST_WAIT_SECONDS}")
			reply = _answer(request)
		except Exception as error:
			reply = _plain(503)
			# Where the database is gone, neither may work.
			with contextlib.suppress(Exception):
				frappe.db.rollback()
				_complain(error)
		# Frappe's own, of a session that no terminal has.
		frappe.local.cookie_manager.cookies.clear()
		frappe.local.cookie_manager.to_delete.clear()
		return Response(reply.body, status=reply.status, headers=list(reply.headers))


def _answer(request: Any) -> Reply:
	settings = push_settings.read()
	peer = networks.caller(request.remote_addr, request.headers.get("X-Forwarded-For"), settings.proxies)
	if frappe.session.user != "Guest":
		return _plain(403)  # somebody's browser: nothing here is done on behalf of a user
	if not allowance.take(f"address:{peer}", MOST_CALLS_OF_AN_ADDRESS):
		return _plain(429)
	if listener.is_path(request.path):
		return _heard(request, peer, settings)
	if not settings.enabled:
		return _plain(404)
	return _pushed(request, peer, settings)


def _pushed(request: Any, peer: str, settings: push_settings.PushSettings) -> Reply:
	serial = next((value for name, value in request.args.items() if name.lower() == "sn"), "")[:64]
	if not allowance.take(f"terminal:{peer}:{serial}", settings.calls_a_minute):
		return _plain(429)
	receiver = _receiver()
	query = request.query_string.decode("latin-1")
	limit = min(receiver.body_limit(request.method, request.path, query), settings.largest_body)
	body, is_broken = _body(request)
	call = Request(
		method=request.method,
		path=request.path,
		query=query,
		headers=dict(request.headers),
		body=body[:limit],
		is_cut=len(body) > limit,
		has_length=request.content_length is not None or _is_read_to_its_end(request),
		is_broken=is_broken,
	)
	reply = receiver.answer(call, peer)
	# What only read must not keep its snapshot; what it wrote is committed by now.
	frappe.db.rollback()
	if request.method == "POST" and reply.status == 200:
		afterwards.carry_on()
	return reply


def _body(request: Any) -> tuple[bytes, bool]:
	"""The body of a call, and whether the line broke before all of it was there."""
	try:
		body: bytes = request.get_data()
	except (ClientDisconnected, OSError):
		return b"", True
	return body, len(body) < (request.content_length or 0)


def _is_read_to_its_end(request: Any) -> bool:
	"""Whether the web server puts a body that comes in chunks together; if not, it looks like none."""
	is_chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
	return is_chunked and bool(request.environ.get("wsgi.input_terminated"))


def _heard(request: Any, peer: str, settings: push_settings.PushSettings) -> Reply:
	if not allowance.take(f"listener:{peer}:{request.path}", settings.calls_a_minute):
		return _plain(429)
	body, is_broken = _body(request)
	if is_broken:
		return _plain(400)
	if len(body) > settings.largest_body:
		return _plain(413)
	status = listener.receive(request.path, request.headers.get("Content-Type", ""), body)
	if status == 404 and not allowance.take(f"stranger:{peer}", _STRANGERS):
		return _plain(429)
	if status == 200:
		afterwards.carry_on()
	return _plain(status)


def _receiver() -> Receiver:
	site = frappe.local.site
	if site not in _receivers:
		_receivers[site] = Receiver(SiteDesk(), now=moments.utc_now)
	return _receivers[site]


def _plain(status: int) -> Reply:
	headers = [
		("Content-Type", "text/plain; charset=utf-8"),
		# Terminals set their clocks by it.
		("Date", format_datetime(datetime.now(timezone.utc), usegmt=True)),
		("Cache-Control", "no-store"),
	]
	if status in (429, 503):
		headers.append(("Retry-After", "30"))
	return Reply(status=status, headers=tuple(headers), body=b"")


def _complain(error: Exception) -> None:
	"""A fault of ours, once in a minute: terminals try again and again."""
	# Not its words: they may hold what a terminal has sent, and the path holds its token.
	logger.error("a call of a terminal met a fault: %s", type(error).__name__)
	if allowance.take("faults", 1):
		confidential.tell(error, "A call of a terminal met a fault")
