"""The clock of a pushing terminal: it believes the server's `Date` header and its `TimeZone`.

The display shows UTC, as the last `Date` told it, plus a fixed offset. Nothing in it knows of summer time:
after the clocks change it is an hour wrong until somebody tells it another `TimeZone`, which it reads once
after each start.

Sources: the vendor's attendance PUSH manual (whole time zones in hours, others in minutes), and reports of
clocks that jump by 2:00 or 2:30 at the handshake (saifulcoder/adms-server-ZKTeco issue 14).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

Now = Callable[[], datetime]

FIRST_MINUTES = 12
"""`TimeZone` from this number on counts minutes, below it hours; its sign does not matter for that. A
fraction is cut off: 5.5 means 5."""


class AdmsClock:
	"""
	:param utc_offset: how far the terminal's own setting is ahead of UTC, until a server tells it another.
	:param now: the true time, aware.
	"""

	def __init__(self, utc_offset: timedelta, now: Now) -> None:
		self.utc_offset = utc_offset
		self.ahead = timedelta()
		"""How far the clock is ahead of the true time (negative: behind), its offset left aside."""
		self.follows_date = True
		self._now = now

	def true_now(self) -> datetime:
		"""UTC, aware."""
		return self._now().astimezone(timezone.utc)

	def wall_now(self) -> datetime:
		"""What the display shows: naive, whole seconds."""
		return (self.true_now() + self.ahead + self.utc_offset).replace(tzinfo=None, microsecond=0)

	def set(self, wall_time: datetime) -> None:
		"""Set it at the keypad to a naive `wall_time`."""
		self.ahead = wall_time - self.utc_offset - self.true_now().replace(tzinfo=None)

	def follow_date(self, header: str | None) -> None:
		"""Take over the moment of a `Date` header; one that cannot be read changes nothing."""
		if header is None or not self.follows_date:
			return
		try:
			moment = parsedate_to_datetime(header)
		except ValueError:
			return
		if moment.tzinfo is None:
			moment = moment.replace(tzinfo=timezone.utc)
		self.ahead = moment - self.true_now()

	def follow_zone(self, text: str | None) -> None:
		"""Take over a `TimeZone` option; one that is no number changes nothing."""
		offset = read_zone(text or "")
		if offset is not None and self.follows_date:
			self.utc_offset = offset


def read_zone(text: str) -> timedelta | None:
	"""What a terminal makes of a `TimeZone`; None if it is no number."""
	whole = text.strip().partition(".")[0]
	digits = whole.lstrip("+-")
	if not (digits.isascii() and digits.isdecimal() and len(digits) <= 4):
		return None
	number = int(digits) * (-1 if whole.startswith("-") else 1)
	return timedelta(hours=number) if abs(number) < FIRST_MINUTES else timedelta(minutes=number)
