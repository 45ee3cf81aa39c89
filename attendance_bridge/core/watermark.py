"""The time up to which we vouch that every punch of a device is here.

HRMS marks people Absent up to `Shift Type.last_sync_of_checkin`. That time may therefore never pass the
watermark of any enabled device that serves the shift: a dark terminal holds it back.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

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
