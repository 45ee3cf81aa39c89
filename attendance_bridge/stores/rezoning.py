"""What a corrected time zone of a terminal makes of the punches that are held of it.

As on a site: what is no check-in yet is timed anew and decided anew, by the same wall time. What was sent
stays as it was sent, and a punch is the same one whatever its zone: none is in its identity.
"""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from attendance_bridge.core import drift
from attendance_bridge.stores.columns import duration, micros, occurred_out, reading_out, text_in
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("rezoning")
BATCH = 500


def rezone(db: Database, serial: str, former: str, zone: ZoneInfo) -> int:
	"""Time the punches of a terminal anew that were recorded under another zone.

	:param former: name of the zone that was configured before.
	:returns: how many were.
	:raises StoreError: some may be timed anew already; the others are by calling it again.
	"""
	made = 0
	while batch := _rezone_batch(db, serial, former, zone):
		made += batch
	return made


def _rezone_batch(db: Database, serial: str, former: str, zone: ZoneInfo) -> int:
	wanted = {"device_serial": text_in(serial), "former": former, "limit": BATCH}
	with db.write() as connection:
		rows = connection.execute(_SQL["of_another_zone"], wanted).fetchall()
		changes = []
		for row in rows:
			recorded_at: datetime = occurred_out(row)
			reading = reading_out(row)
			if reading is not None:
				reading = drift.rezoned(reading, recorded_at.tzinfo or zone, zone)
			there = recorded_at.replace(tzinfo=zone)
			offset = duration(reading.offset) if reading else None
			changes.append((zone.key, micros(there), offset, row["arrival"]))
		connection.executemany(_SQL["rezone"], changes)
	return len(rows)
