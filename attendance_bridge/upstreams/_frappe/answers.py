"""What an answer of a Frappe site means. Bytes in, facts out; nothing here touches the network.

Meaning is taken from the status and from `exc_type`, the class name of the exception, never from message
text: texts are translated, and worded differently in every version.

Source of the facts: frappe 15.72 (`app.py`, `utils/response.py`, `exceptions.py`, `rate_limiter.py`) and
answers measured on v15 and v16 sites. A request that raises is answered with JSON holding `exc_type` and is
rolled back as a whole, so such an answer is a certain "no". Any other 5xx comes from something in front of
Frappe, or from a failed commit, and may hide a success.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

from attendance_bridge.core.errors import Code, UpstreamError

MAX_NAME_LENGTH = 140
"""Length of `name` and of Data fields in Frappe."""
MAX_RETRY_AFTER = 3600.0
"""Seconds; a longer Retry-After is taken as this."""

_EXC_TYPE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,79}")

# Two transactions met: Frappe's names for error 1213 and, under MariaDB's snapshot isolation, 1020 (on
# tabSeries, where every name is drawn), and for a lock that was not had in time.
CONFLICTS = frozenset({"QueryDeadlockError", "QueryTimeoutError"})
BAD_TOKEN = frozenset(
	{
		"AuthenticationError", "SessionExpired", "InvalidAuthorizationHeader", "InvalidAuthorizationPrefix",
		"InvalidAuthorizationToken",
	}
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
	"""An HTTP answer, read whole."""

	url: str
	"""The site that it came from, for error messages."""
	status: int
	body: bytes = b""
	retry_after: str = ""
	date: str = ""
	location: str = ""


class RefusedError(UpstreamError):
	"""The site itself said no to this question, with the class of its exception."""

	def __init__(self, code: Code, *, retryable: bool, exc_type: str, **details: object) -> None:
		super().__init__(code, retryable=retryable, exc_type=exc_type, **details)
		self.exc_type = exc_type


def read_rows(answer: Answer) -> Sequence[Mapping[str, object]]:
	"""The rows of `GET /api/resource/<DocType>`.

	:raises UpstreamError: it is no list of rows; a `RefusedError` if the site itself says so.
	"""
	if answer.status != 200:
		raise failure(answer)
	rows = json_object(answer.body).get("data")
	if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
		raise failure(answer)
	return rows


def read_message(answer: Answer) -> object:
	"""The result of `GET /api/method/<method>`; None if the method returned nothing.

	:raises UpstreamError: the method was not run; a `RefusedError` if the site itself says so.
	"""
	if answer.status != 200 or not (content := json_object(answer.body)):
		raise failure(answer)
	return content.get("message")


def failure(answer: Answer) -> UpstreamError:
	"""The error that an answer stands for; GARBAGE for a success that is not the expected content."""
	status, exc_type = answer.status, exc_type_of(json_object(answer.body))
	where: dict[str, Any] = {"url": answer.url, "status": status}
	if status == 429:
		return UpstreamError(Code.RATE_LIMITED, retryable=True, **where, **_pause(answer))
	if status == 401 or (400 <= status < 500 and exc_type in BAD_TOKEN):
		return UpstreamError(Code.AUTH_FAILED, **where)
	if 300 <= status < 400:
		return UpstreamError(Code.NOT_FOUND, redirected_to=_host_of(answer.location), **where)
	if status == 503:
		return UpstreamError(
			Code.UPSTREAM_ERROR, retryable=True, exc_type=exc_type, **where, **_pause(answer)
		)
	if not 400 <= status < 600:
		return UpstreamError(Code.GARBAGE, retryable=True, **where)
	code = {403: Code.FORBIDDEN, 404: Code.NOT_FOUND}.get(status, Code.UPSTREAM_ERROR)
	retryable = code is Code.UPSTREAM_ERROR
	if exc_type:
		return RefusedError(code, retryable=retryable, exc_type=exc_type, **where)
	return UpstreamError(code, retryable=retryable, **where)


def json_object(body: bytes) -> Mapping[str, object]:
	try:
		content = json.loads(body)
	except (ValueError, RecursionError):
		return {}
	return content if isinstance(content, dict) else {}


def exc_type_of(content: Mapping[str, object]) -> str:
	value = content.get("exc_type")
	return value if isinstance(value, str) and _EXC_TYPE.fullmatch(value) else ""


def name_of(row: Mapping[str, object]) -> str:
	"""The `name` of a document; empty if there is none that a database could hold."""
	name = row.get("name")
	if isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH and is_storable(name):
		return name
	return ""


def is_storable(text: str) -> bool:
	"""Whether `text` can be written as UTF-8: JSON can spell lone surrogates, which cannot."""
	return not any("\ud800" <= character <= "\udfff" for character in text)


def _pause(answer: Answer) -> dict[str, Any]:
	seconds = _retry_after(answer)
	return {} if seconds is None else {"retry_after": seconds}


def _retry_after(answer: Answer) -> float | None:
	"""Retry-After in seconds. A date is measured against the site's own Date: no clock of ours, no skew."""
	value = answer.retry_after.strip()
	if value.isascii() and value.isdigit():
		return min(float(value[:9]), MAX_RETRY_AFTER)
	try:
		seconds = (parsedate_to_datetime(value) - parsedate_to_datetime(answer.date)).total_seconds()
	except (ValueError, TypeError, IndexError, OverflowError):
		return None
	return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _host_of(location: str) -> str:
	"""The host alone: the rest of a redirect may carry tokens."""
	try:
		return (urlsplit(location).hostname or "")[:253]
	except ValueError:
		return ""
