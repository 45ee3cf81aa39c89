"""Up to when all punches of the terminals are not only held here, but with the upstream too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from attendance_bridge.core.watermark import shift_watermark
from attendance_bridge.stores.cursors import SqliteCursors
from attendance_bridge.stores.punches import PunchStore


def vouched(
	serial: str, watermarks: Mapping[str, datetime], waiting_since: Mapping[str, datetime]
) -> datetime | None:
	"""Up to when a terminal can be vouched for: everything before is with the upstream.

	:param watermarks: read before `waiting_since`: what comes in between the two may hold the result back,
		never let it pass.
	"""
	watermark, oldest = watermarks.get(serial), waiting_since.get(serial)
	return watermark if watermark is None or oldest is None else min(watermark, oldest)


def vouched_by_all(serials: Iterable[str], cursors: SqliteCursors, punches: PunchStore) -> datetime | None:
	"""Up to when all of these terminals can be vouched for; None while one cannot at all.

	:raises StoreError: the database cannot be used.
	"""
	watermarks = cursors.watermarks()
	waiting_since = punches.waiting_since()
	return shift_watermark(vouched(serial, watermarks, waiting_since) for serial in serials)
