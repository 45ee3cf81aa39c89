"""The calls of terminals, between a web server and those who answer them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from attendance_bridge.core.redact import redact
from attendance_bridge.drivers.zkteco_adms.receiver import Receiver
from attendance_bridge.drivers.zkteco_adms.requests import MAX_DROPPED_BODY
from attendance_bridge.drivers.zkteco_adms.wire import Reply, Request
from attendance_bridge.edge.receiver.body import announced_length, has_length, read_body

if TYPE_CHECKING:
	from _typeshed.wsgi import StartResponse, WSGIApplication

logger = logging.getLogger(__name__)


class ReceiverApp:
	"""Gives each call to whoever knows its path: other families by the first part of it, the rest to ADMS."""

	def __init__(self, adms: Receiver, others: Mapping[str, WSGIApplication] | None = None) -> None:
		"""
		:param others: first part of the path ("hikvision") → who answers it.
		"""
		self._adms = adms
		self._others = dict(others or {})

	def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
		path = environ.get("PATH_INFO", "")
		other = self._others.get(path.lstrip("/").partition("/")[0])
		try:
			if other is not None:
				return other(environ, start_response)
			return _send(self._answer(environ, path), start_response)
		except Exception as error:  # a fault of ours with one call must not cost the terminal its punches
			logger.error("a call of a terminal failed: %s", redact(repr(error)), exc_info=error)
			return _refuse(HTTPStatus.INTERNAL_SERVER_ERROR, start_response)

	def _answer(self, environ: dict[str, Any], path: str) -> Reply:
		method, query = environ.get("REQUEST_METHOD", ""), environ.get("QUERY_STRING", "")
		limit = self._adms.body_limit(method, path, query)
		announced = announced_length(environ)
		if announced > MAX_DROPPED_BODY:
			return Reply(status=413, headers=(("Connection", "close"), ("Content-Length", "0")), body=b"")
		body, is_whole = read_body(environ["wsgi.input"], announced, limit)
		request = Request(
			method=method,
			path=path,
			query=query,
			headers={"Content-Encoding": environ.get("HTTP_CONTENT_ENCODING", "")},
			body=body,
			has_length=has_length(environ),
			is_cut=announced > limit,
			is_broken=not is_whole,
		)
		reply = self._adms.answer(request, environ.get("REMOTE_ADDR", ""))
		# Nobody waits for the answer to what broke off.
		return reply if is_whole else replace(reply, headers=(*reply.headers, ("Connection", "close")))


def _send(reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
	start_response(f"{reply.status} {HTTPStatus(reply.status).phrase}", list(reply.headers))
	return [reply.body]


def _refuse(status: HTTPStatus, start_response: Callable[..., object]) -> Iterable[bytes]:
	start_response(f"{status.value} {status.phrase}", [("Content-Length", "0"), ("Connection", "close")])
	return [b""]
