"""Punches of a terminal whose clock was wrong at one contact and is right at the next.

Somebody set it in between, nobody knows when, and what it recorded meanwhile may be of before or after. Such
punches are held under the error that was seen last, so that they are quarantined like any that a wrong clock
recorded.
"""

from __future__ import annotations

from dataclasses import replace

from attendance_bridge.core.clock import NO_TIME, ClockReading
from attendance_bridge.core.drift import Doubt
from attendance_bridge.core.driver import Page
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.punch import Punch
from attendance_bridge.stores.punches import Arrived, PunchStore


class DoubtingSink:
	"""`core.ports.PunchSink`: holds what is beyond doubt under the look it is given, and the rest under the
	error of before."""

	def __init__(self, punches: PunchStore, doubt: Doubt | None) -> None:
		self._punches = punches
		self._doubt = doubt

	def accept(self, page: Page, device_serial: str, reading: ClockReading | None) -> Accepted:
		"""See `PunchStore.accept`: one transaction.

		:raises StoreError: none of the page is held.
		"""
		doubtful = tuple(punch for punch in page.punches if self.is_doubtful(punch))
		if not doubtful or self._doubt is None or reading is None:
			return self._punches.accept(page, device_serial, reading)
		offset, start = self._doubt.offset, self._doubt.start
		wrong = ClockReading(taken_at=reading.taken_at, device_time=reading.taken_at + offset)
		seen_good = start - min(offset, NO_TIME) if start is not None else None
		rest = tuple(punch for punch in page.punches if not self.is_doubtful(punch))
		first, second = self._punches.accept_all(
			[
				Arrived(
					replace(page, punches=doubtful, unreadable=()), device_serial, wrong, seen_good, True
				),
				Arrived(replace(page, punches=rest), device_serial, reading),
			]
		)
		return Accepted(
			new=first.new + second.new,
			known=first.known + second.known,
			unreadable=first.unreadable + second.unreadable,
		)

	def is_doubtful(self, punch: Punch) -> bool:
		return self._doubt is not None and self._doubt.covers(punch.occurred_at)
