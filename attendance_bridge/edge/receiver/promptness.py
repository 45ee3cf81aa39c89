"""How far terminals that only push are vouched for: those that call without a break and bring nothing late.

Kept in memory: an agent that starts anew has not heard for how long they were away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from attendance_bridge.core.driver import Page
from attendance_bridge.core.watermark import PUSH_PROMPT, watermark_of_push

STEP = timedelta(minutes=1)
"""By so much at least a watermark moves."""


@dataclass(slots=True)
class _Heard:
	since: datetime
	last: datetime
	late: datetime | None = None
	vouched: datetime | None = None


class Promptness:
	"""Not safe by itself: one thread at a time. All moments are aware."""

	def __init__(self) -> None:
		self._heard: dict[str, _Heard] = {}

	def called(self, serial: str, at: datetime, *, is_twin: bool) -> None:
		"""A terminal called. Of two with one serial number the one hides that the other is away."""
		heard = self._heard.get(serial)
		if heard is None or is_twin or not timedelta(0) <= at - heard.last <= PUSH_PROMPT:
			vouched = heard.vouched if heard else None
			self._heard[serial] = _Heard(
				since=at, last=at, late=heard.late if heard else None, vouched=vouched
			)
		else:
			heard.last = at

	def since(self, serial: str, at: datetime) -> datetime | None:
		"""Since when a terminal calls without a break; None if it did not up to now."""
		heard = self._heard.get(serial)
		return heard.since if heard and timedelta(0) <= at - heard.last <= PUSH_PROMPT else None

	def kept_back(self, serial: str, at: datetime) -> None:
		"""What a terminal wanted to hand over did not come through: there is more than is here."""
		self._heard.setdefault(serial, _Heard(since=at, last=at)).late = at

	def brought(self, serial: str, page: Page, at: datetime) -> None:
		"""New punches came; late ones, or ones that cannot have been made yet, say that there may be more."""
		is_prompt = all(abs(at - punch.occurred_utc) <= PUSH_PROMPT for punch in page.punches)
		if not is_prompt:
			heard = self._heard.setdefault(serial, _Heard(since=at, last=at))
			heard.late = at

	def earned(self) -> dict[str, datetime]:
		"""The watermarks that have moved, by serial number."""
		moved: dict[str, datetime] = {}
		for serial, heard in self._heard.items():
			watermark = watermark_of_push(heard.since, heard.last, heard.late)
			if watermark is not None and (heard.vouched is None or watermark - heard.vouched >= STEP):
				heard.vouched = moved[serial] = watermark
		return moved
