"""Where reading resumes on a terminal. Not to be mixed with the watermark, which is what we vouch for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Cursor:
	"""A place in a terminal's log, in the driver's own terms.

	Only the driver that made it reads `position`; everybody else stores it and hands it back. A cursor that
	a driver does not understand (another version, another driver) means: from the beginning.
	"""

	position: Mapping[str, str | int] = field(default_factory=lambda: MappingProxyType({}))

	def __bool__(self) -> bool:
		return bool(self.position)

	def to_text(self) -> str:
		"""JSON, for a store."""
		return json.dumps(dict(self.position), sort_keys=True)

	@classmethod
	def from_text(cls, text: str) -> Cursor:
		"""The inverse of `to_text`; anything unreadable is the beginning."""
		try:
			loaded = json.loads(text)
		except ValueError:
			return START
		if not isinstance(loaded, dict):
			return START
		return cls({k: v for k, v in loaded.items() if isinstance(v, (str, int))})

	def number(self, key: str) -> int | None:
		"""`position[key]` if it is a whole number, else None."""
		value = self.position.get(key)
		return value if isinstance(value, int) and not isinstance(value, bool) else None

	def text(self, key: str) -> str | None:
		"""`position[key]` if it is text, else None."""
		value = self.position.get(key)
		return value if isinstance(value, str) else None


START = Cursor()
