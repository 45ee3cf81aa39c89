"""The fields of JSON objects that agents send, read by type. All of it is hostile until it was read here."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import frappe
from frappe import _

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
"""RFC 3339."""

MAX_TEXT_LENGTH = 140
MAX_BODY_BYTES = 8 * 1024 * 1024


class BadFieldError(ValueError):
	"""A field has the wrong type, or no value that it may have; its text is the dotted path."""


@contextmanager
def reading_body() -> Iterator[None]:
	"""What a request brings is read within: a body that breaks the contract is answered as such.

	:raises frappe.ValidationError: it is too large, or a BadFieldError came.
	"""
	request = getattr(frappe.local, "request", None)
	if request is not None and len(request.get_data()) > MAX_BODY_BYTES:
		frappe.throw(_("The body is larger than {0} bytes.").format(MAX_BODY_BYTES))
	try:
		yield
	except BadFieldError as error:
		path = str(error).translate({ord("<"): "‹", ord(">"): "›"})
		frappe.throw(_("{0} is missing, or not what it must be.").format(path or _("The body")))


class SentFields:
	"""One JSON object. A field that is missing or null reads as its default; unknown fields are ignored."""

	def __init__(self, sent: object, path: str = "") -> None:
		"""
		:param path: where the object stands in the body.
		:raises BadFieldError: it is no object.
		"""
		if not isinstance(sent, Mapping):
			raise BadFieldError(path)
		self._sent = sent
		self._path = path

	def text(self, name: str, longest: int = MAX_TEXT_LENGTH, default: str = "") -> str:
		"""
		:param longest: in characters; a longer one is refused.
		:raises BadFieldError: it is no text, or longer.
		"""
		value = self._of(name, str, default)
		if len(value) > longest:
			raise self._bad(name)
		return value

	def label(self, name: str) -> str:
		"""A text for people to read: cut to MAX_TEXT_LENGTH, and as any database can hold it."""
		value: str = self._of(name, str, "")
		return value[:MAX_TEXT_LENGTH].encode("utf-8", "replace").decode()

	def whole(self, name: str, low: int, high: int, default: int = 0) -> int:
		"""A whole number, moved to the nearest between `low` and `high`."""
		value: int = self._of(name, int, default)
		return min(max(value, low), high)

	def number(self, name: str, bound: float) -> float | None:
		"""A number, moved to the nearest between -`bound` and `bound`; None if there is none.

		:raises BadFieldError: likewise, or not a number at all (NaN).
		"""
		value = self._sent.get(name)
		if value is None:
			return None
		if isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
			raise self._bad(name)
		return float(min(max(value, -bound), bound))

	def flag(self, name: str) -> bool | None:
		"""Yes or no; None if nothing is said.

		:raises BadFieldError: it is neither.
		"""
		value: bool | None = self._of(name, bool, None)
		return value

	def labels(self, name: str, most: int) -> tuple[str, ...]:
		"""Texts for people to read, each as `label` gives it.

		:raises BadFieldError: no list of texts, or more than so many.
		"""
		values = sent_list(self._sent.get(name), most, self._join(name))
		return tuple(SentFields({name: value}, self._path).label(name) for value in values)

	def moment(self, name: str) -> datetime | None:
		"""A moment, aware and in UTC; None if there is none.

		:raises BadFieldError: not RFC 3339, or without an offset.
		"""
		value = self._sent.get(name)
		if value is None:
			return None
		try:
			return parse_moment(value)
		except ValueError:
			raise self._bad(name) from None

	def table(self, name: str) -> SentFields | None:
		"""An object within; None if there is none."""
		value = self._sent.get(name)
		return None if value is None else SentFields(value, self._join(name))

	def tables(self, name: str, most: int) -> list[SentFields]:
		"""A list of objects, at most `most` of them."""
		return [
			SentFields(value, f"{self._join(name)}[{position}]")
			for position, value in enumerate(sent_list(self._sent.get(name), most, self._join(name)))
		]

	def _of(self, name: str, wanted: type[Any], default: Any) -> Any:
		value = self._sent.get(name)
		if value is None:
			return default
		if type(value) is not wanted:  # True is no number here
			raise self._bad(name)
		return value

	def _bad(self, name: str) -> BadFieldError:
		return BadFieldError(self._join(name))

	def _join(self, name: str) -> str:
		return f"{self._path}.{name}" if self._path else name


def sent_list(sent: object, most: int, path: str) -> list[Any]:
	"""A list of at most `most` elements; empty if there is none.

	:raises BadFieldError: it is no list, or longer.
	"""
	if sent is None:
		return []
	if not isinstance(sent, list) or len(sent) > most:
		raise BadFieldError(path)
	return sent


def parse_moment(text: object) -> datetime:
	"""RFC 3339 to an aware moment in UTC.

	:raises ValueError: it is not.
	"""
	if not isinstance(text, str) or not _MOMENT.fullmatch(text):
		raise ValueError("not a moment by RFC 3339")
	head, zone = (text[:-1], "+00:00") if text.endswith("Z") else (text[:-6], text[-6:])
	seconds, _point, fraction = head.partition(".")
	# Python 3.10 reads fractions of three or six digits only.
	padded = f"{seconds}.{fraction:0<6}{zone}"
	try:
		return datetime.fromisoformat(padded).astimezone(timezone.utc)
	except OverflowError:
		raise ValueError("beyond the calendar") from None


def spell_moment(moment: datetime) -> str:
	"""An aware moment as RFC 3339 in UTC, whole seconds."""
	return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
