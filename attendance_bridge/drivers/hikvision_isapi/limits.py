"""What a terminal says it can do when asked for events (`AcsEvent/capabilities`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attendance_bridge.drivers.hikvision_isapi.documents import whole_number

PAGE_SIZE = 30
LAST_POSITION = 300_000
_MAX_CODES = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
	"""The defaults hold for a terminal that says nothing."""

	page_size: int = PAGE_SIZE
	last_position: int = LAST_POSITION
	"""The highest `searchResultPosition` that may be asked for."""
	serial_search: bool = False
	"""Whether a search can begin at an event number (`beginSerialNo`)."""
	minors: frozenset[int] | None = None
	"""The minor types of major 5 that it knows; None if it does not say."""


def read_limits(answer: Mapping[str, Any]) -> Limits:
	"""Read `{"AcsEvent": {"AcsEventCond": {"maxResults": {"@max": 30}, …}}}`, the outer name optional."""
	condition = _member(_member(answer, "AcsEvent") or answer, "AcsEventCond")
	return Limits(
		page_size=_maximum(condition, "maxResults") or PAGE_SIZE,
		last_position=_maximum(condition, "searchResultPosition") or LAST_POSITION,
		serial_search=_maximum(condition, "beginSerialNo") is not None,
		minors=_codes(_member(condition, "minorEvent").get("@opt")),
	)


def read_capacity(answer: Mapping[str, Any]) -> int | None:
	"""How many events the terminal can hold, from `AcsEventTotalNum/capabilities`; None if it does not say.

	Seen as `{"AcsEvent": {"totalNum": {"@max": n}}}` and `{"AcsEventTotalNum": {"@max": n}}`.
	"""
	inner = _member(answer, "AcsEventTotalNum") or _member(answer, "AcsEvent")
	return _maximum(inner, "totalNum") or whole_number(inner.get("@max"))


def _member(mapping: Mapping[str, Any], name: str) -> Mapping[str, Any]:
	value = mapping.get(name)
	return value if isinstance(value, dict) else {}


def _maximum(mapping: Mapping[str, Any], name: str) -> int | None:
	return whole_number(_member(mapping, name).get("@max"))


def _codes(value: object) -> frozenset[int] | None:
	listed = value.split(",") if isinstance(value, str) else value
	if not isinstance(listed, list):
		return None
	codes = (whole_number(code.strip() if isinstance(code, str) else code) for code in listed[:_MAX_CODES])
	return frozenset(code for code in codes if code is not None) or None
