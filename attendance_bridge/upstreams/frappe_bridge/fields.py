"""Values as they stand in the JSON of the agent API, and back; nothing hostile gets through."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from attendance_bridge.core.errors import Code, UpstreamError
from attendance_bridge.upstreams._frappe.answers import MAX_NAME_LENGTH, is_storable

Json = Mapping[str, object]


def spell_moment(moment: datetime | None) -> str | None:
	"""An aware moment as RFC 3339 in UTC."""
	if moment is None:
		return None
	return f"{moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat()}Z"


def read_moment(value: object) -> datetime:
	"""
	:raises UpstreamError: GARBAGE.
	"""
	if isinstance(value, str) and value.endswith("Z") and len(value) <= 32:
		try:
			return datetime.fromisoformat(value[:-1]).replace(tzinfo=timezone.utc)
		except ValueError:
			pass
	raise garbage()


def read_object(value: object) -> Json:
	"""
	:raises UpstreamError: GARBAGE.
	"""
	if not isinstance(value, dict):
		raise garbage()
	return value


def read_list(value: object, limit: int) -> list[object]:
	"""
	:raises UpstreamError: GARBAGE, also for more than `limit`.
	"""
	if not isinstance(value, list) or len(value) > limit:
		raise garbage()
	return value


def text_of(row: Json, key: str, *, needed: bool = False) -> str:
	"""The text under a key, as a database could hold it; empty if there is none.

	:raises UpstreamError: GARBAGE: something else stands there, or nothing although it is `needed`.
	"""
	value = row.get(key)
	if value is None:
		value = ""
	if not isinstance(value, str) or len(value) > MAX_NAME_LENGTH or not is_storable(value):
		raise garbage()
	if needed and not value:
		raise garbage()
	return value


def number_of(row: Json, key: str, default: float) -> float:
	"""
	:raises UpstreamError: GARBAGE.
	"""
	value = row.get(key, default)
	if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e9:
		raise garbage()
	return float(value)


def flag_of(row: Json, key: str) -> bool:
	"""Databases hold a flag as a number."""
	return row.get(key) in (True, 1)


def garbage() -> UpstreamError:
	return UpstreamError(Code.GARBAGE, retryable=True)
