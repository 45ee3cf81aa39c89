"""Where reading resumes on each terminal, and up to when its punches are vouched for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attendance_bridge.core.cursor import START, Cursor
from attendance_bridge.stores.columns import micros, moment, moment_or_none, text_in, text_out
from attendance_bridge.stores.database import Database
from attendance_bridge.stores.queries import load

_SQL = load("cursors")


class SqliteCursors:
	"""`core.ports.CursorStore`, and the watermarks beside it. Every method may raise `StoreError`."""

	def __init__(self, db: Database) -> None:
		self._db = db

	def load(self, device_serial: str) -> Cursor:
		"""Where to resume; `START` for a terminal that was never read."""
		with self._db.read() as connection:
			row = connection.execute(_SQL["load"], (text_in(device_serial),)).fetchone()
		return Cursor.from_text(row["position"]) if row is not None else START

	def save(self, device_serial: str, cursor: Cursor) -> None:
		with self._db.write() as connection:
			connection.execute(_SQL["save"], (text_in(device_serial), cursor.to_text()))

	def vouch(self, device_serial: str, until: datetime) -> None:
		"""Every punch of this terminal up to `until` (aware) is held. A watermark never goes back."""
		self.vouch_all({device_serial: until})

	def vouch_all(self, until: Mapping[str, datetime]) -> None:
		"""The same for several terminals, by serial, in one transaction."""
		rows = [(text_in(device_serial), micros(moment)) for device_serial, moment in until.items()]
		with self._db.write() as connection:
			connection.executemany(_SQL["vouch"], rows)

	def watermark(self, device_serial: str) -> datetime | None:
		"""Up to when the terminal is vouched for, in UTC; None if not at all."""
		with self._db.read() as connection:
			row = connection.execute(_SQL["watermark"], (text_in(device_serial),)).fetchone()
		return moment_or_none(row["watermark"]) if row is not None else None

	def watermarks(self) -> dict[str, datetime]:
		"""The watermark of each terminal that has one, by serial."""
		with self._db.read() as connection:
			rows = connection.execute(_SQL["watermarks"]).fetchall()
		return {text_out(row["device_serial"]): moment(row["watermark"]) for row in rows}
