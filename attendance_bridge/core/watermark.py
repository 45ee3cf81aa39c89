"""The time up to which we vouch that every punch of a device is here.

HRMS marks people Absent up to `Shift Type.last_sync_of_checkin`. That time may therefore never pass the
watermark of any enabled device that serves the shift: a dark terminal holds it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from attendance_bridge.core.clock import ClockReading, ClockRules


def watermark_after_pull(
	started_at: datetime, reading: ClockReading | None, rules: ClockRules
) -> datetime | None:
	"""The watermark that a complete pull has earned; None if it earned none.

	:param started_at: our time, aware, before the first page was asked for. A punch made while we were
		reading may or may not be in a page already, so we vouch for nothing later.
	:param reading: the terminal's clock at this contact. With a clock that cannot be trusted, the punches
		of a period may still come back under other times; nothing is vouched for.
	"""
	if reading is None or abs(reading.offset) > rules.tolerance:
		return None
	return started_at


def shift_watermark(device_watermarks: Iterable[datetime | None]) -> datetime | None:
	"""The time up to which a shift may be evaluated: the least of its devices, None while one has none."""
	known: list[datetime] = []
	for watermark in device_watermarks:
		if watermark is None:
			return None
		known.append(watermark)
	return min(known, default=None)


PUSH_PROMPT = timedelta(minutes=5)
"""A punch that came sooner came as it was made; a terminal that was not heard of for longer was away."""
PUSH_GRACE = timedelta(minutes=15)
"""How long a terminal that pushes must have called without a break, and brought nothing late, before we vouch
for what was made that long ago."""


def watermark_of_push(
	in_contact_since: datetime | None, last_contact: datetime | None, last_late: datetime | None
) -> datetime | None:
	"""The watermark of a terminal that nobody reads, and that pushes what is new; None if it earned none.

	Such a terminal never says that this was all. But it sends in its own order, and asks every few seconds
	whether there is anything to do. One that has done so for a while and brought nothing late has nothing
	left from before: what it makes now comes now.

	:param in_contact_since: aware; since when it calls without a break of `PUSH_PROMPT`.
	:param last_contact: aware.
	:param last_late: aware; when it last brought a punch older than `PUSH_PROMPT`.
	"""
	if in_contact_since is None or last_contact is None:
		return None
	settled = max(in_contact_since, last_late) if last_late else in_contact_since
	if last_contact - settled < PUSH_GRACE:
		return None
	return last_contact - PUSH_GRACE
