"""A clock that a test turns by hand, for itself and for the web workers that serve the site meanwhile."""

from __future__ import annotations

import os
import struct
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any

from attendance_bridge.bench import moments


class TurnedClock:
	"""The present moment, as it stands in a file: the same for every process that looks."""

	def __init__(self, path: Path) -> None:
		"""
		:param path: made by the first `turn_to`.
		"""
		self.path = path
		self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

	def __call__(self) -> datetime:
		(seconds,) = struct.unpack("d", os.pread(self._file, 8, 0))
		return datetime.fromtimestamp(seconds, timezone.utc)

	def turn_to(self, moment: datetime) -> None:
		os.pwrite(self._file, struct.pack("d", moment.timestamp()), 0)

	def advance(self, by: timedelta) -> None:
		self.turn_to(self() + by)

	def close(self) -> None:
		os.close(self._file)

	def as_datetime(self) -> type[datetime]:
		"""What stands for `datetime` in `bench.moments`, through which this app asks for the time."""

		class Turned(datetime):
			@classmethod
			def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
				return clock().astimezone(tz)

		clock = self
		return Turned


def application(path: str) -> Any:
	"""The site as a web server serves it, but at the time that a file tells."""
	from frappe.app import application as served  # a web worker's, not a test's

	moments.datetime = TurnedClock(Path(path)).as_datetime()  # type: ignore[misc]
	return served
