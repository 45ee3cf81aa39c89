"""HTTP/1.1 as bytes: one request off a connection, one answer onto it.

`http.server` spends most of its time in parsing headers as if they were e-mail. A benchmark of an upload
should measure the uploader, so this reads just what an API call needs, within bounds.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from html import escape
from http import HTTPStatus
from typing import BinaryIO

MAX_REQUEST_LINE = 4094
"""Gunicorn's, without the line break: what a query may be long."""
MAX_HEADER = 8190
MAX_HEADERS = 100
_BODILESS = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
	"""One request, its body whole."""

	method: str
	path: str
	"""As sent: percent signs still in it, without the query."""
	query: str
	headers: Mapping[str, str]
	"""Names in lower case; of a repeated header the last one."""
	body: bytes
	keep_alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
	"""One answer, its body whole."""

	status: int
	body: bytes
	content_type: str = "application/json"
	headers: tuple[tuple[str, str], ...] = ()


class UnreadableRequestError(Exception):
	"""What came is no request that can be taken: `answer` says so, then the connection ends."""

	def __init__(self, status: int) -> None:
		super().__init__(status)
		self.answer = html_page(status)


def read_request(stream: BinaryIO, *, max_body: int) -> Request | None:
	"""Read one request; None when the client has closed the connection between two of them.

	:param max_body: bytes; werkzeug refuses what is longer with 413 before reading it.
	:raises UnreadableRequestError: malformed, too large, or without a length.
	:raises OSError: the connection broke.
	"""
	line = stream.readline(MAX_REQUEST_LINE + 2)
	if not line:
		return None
	words = line.split()
	if len(words) != 3 or not words[2].startswith(b"HTTP/1.") or not line.endswith(b"\n"):
		raise UnreadableRequestError(400)
	method = words[0].decode("latin-1")
	path, _, query = words[1].decode("latin-1").partition("?")
	headers = _read_headers(stream)
	return Request(
		method=method,
		path=path,
		query=query,
		headers=headers,
		body=_read_body(stream, method, headers, max_body),
		keep_alive=words[2] == b"HTTP/1.1" and headers.get("connection", "").lower() != "close",
	)


def _read_headers(stream: BinaryIO) -> dict[str, str]:
	headers: dict[str, str] = {}
	for _ in range(MAX_HEADERS):
		line = stream.readline(MAX_HEADER + 2)
		if line in (b"\r\n", b"\n"):
			return headers
		if not line.endswith(b"\n") and len(line) > MAX_HEADER:
			raise UnreadableRequestError(431)
		name, colon, value = line.decode("latin-1").partition(":")
		if not colon or not line.endswith(b"\n"):
			raise UnreadableRequestError(400)
		headers[name.lower()] = value.strip()
	raise UnreadableRequestError(431)


def _read_body(stream: BinaryIO, method: str, headers: Mapping[str, str], max_body: int) -> bytes:
	length = headers.get("content-length")
	if length is None:
		if "transfer-encoding" in headers or method not in _BODILESS:
			raise UnreadableRequestError(411)
		return b""
	if not (length.isascii() and length.isdigit()):
		raise UnreadableRequestError(400)
	size = int(length) if len(length) < 16 else max_body + 1
	if size > max_body:
		raise UnreadableRequestError(413)
	body = stream.read(size)
	if len(body) < size:
		raise ConnectionResetError("the client went away inside a request")
	return body


def render(answer: Answer, *, keep_alive: bool, with_body: bool = True) -> bytes:
	"""The answer as one run of bytes, for one send.

	:param with_body: False for the answer to a HEAD request.
	"""
	connection = "keep-alive" if keep_alive else "close"
	more = "".join([f"{name}: {value}\r\n" for name, value in answer.headers])
	head = (
		f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, '')}\r\nServer: nginx\r\nDate: {_date()}\r\n"
		f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n"
		f"Connection: {connection}\r\n{more}\r\n"
	)
	return head.encode("latin-1") + (answer.body if with_body else b"")


_last_date: tuple[int, str] = (0, "")


def _date() -> str:
	# Making this text takes longer than all the rest of an answer; a second is its resolution.
	global _last_date
	second = int(time.time())
	if _last_date[0] != second:
		_last_date = (second, formatdate(second, usegmt=True))
	return _last_date[1]


def html_page(status: int, text: str = "", *, script: str = "") -> Answer:
	"""A page as a proxy or a web framework makes it, when no application has the word.

	:param script: put in as it is.
	"""
	reason = _REASONS.get(status, "")
	body = (
		f"<!doctype html>\n<html lang=en>\n<title>{status} {reason}</title>\n"
		f"<h1>{reason}</h1>\n<p>{escape(text or reason)}</p>\n"
		+ (f"<script>\n{script}</script>\n" if script else "")
	)
	return Answer(
		status=status,
		body=body.encode("utf-8", "replace"),
		content_type="text/html; charset=utf-8",
	)
