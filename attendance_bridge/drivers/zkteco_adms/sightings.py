"""From where a terminal calls: one that calls from two places in turn is two with one serial number.

A change of address (DHCP, another line) goes one way: from the old address to the new one, and stays there.
Two boxes go back and forth. Behind one router both have the same address; then their MAC addresses tell,
where they say them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

MAX_TEXT = 500
KEPT = 3
"""Places that are remembered, the latest ones."""
TURNS = 3
"""So often has the place to change within `WITHIN`: an address that fails over once and back is no twin."""
WITHIN = timedelta(minutes=10)
REMEMBERED = timedelta(hours=24)
"""So long a terminal is said to have a twin after it was last seen."""


@dataclass(frozen=True, slots=True)
class Sightings:
	"""A value, kept as text beside the terminal."""

	place: str = ""
	"""Address and MAC of the last call."""
	mac: str = ""
	turns: tuple[int, ...] = ()
	"""Seconds since 1970 of the latest returns to a place that was left within `WITHIN`."""
	left: tuple[tuple[str, int], ...] = ()
	"""Places that it has left, and when."""
	twin_seen: int = 0

	def seen(self, peer: str, mac: str, at: datetime) -> Sightings:
		"""After one more call; `mac` is empty where the call did not say it."""
		now = int(at.timestamp())
		since = now - int(WITHIN.total_seconds())
		is_other_box = bool(mac and self.mac and mac != self.mac)
		if peer == self.place and not is_other_box:
			return (
				self
				if not mac or mac == self.mac
				else Sightings(peer, mac, self.turns, self.left, self.twin_seen)
			)
		recently_left = any(place == peer and when >= since for place, when in self.left)
		turns = tuple(turn for turn in self.turns if turn >= since)
		if recently_left or is_other_box:
			turns = (*turns, now)[-TURNS:]
		left = tuple(entry for entry in self.left if entry[0] not in (self.place, peer))
		if self.place and self.place != peer:
			left = (*left, (self.place, now))[-KEPT:]
		twin_seen = now if len(turns) >= TURNS else self.twin_seen
		return Sightings(peer, mac or self.mac, turns, left, twin_seen)

	def is_twin(self, at: datetime) -> bool:
		"""Whether two terminals were seen with this serial number lately."""
		return bool(self.twin_seen) and at.timestamp() - self.twin_seen < REMEMBERED.total_seconds()

	def to_text(self) -> str:
		"""For a desk; at most 500 characters."""
		return json.dumps(
			[self.place, self.mac, self.turns, self.left, self.twin_seen], separators=(",", ":")
		)

	@classmethod
	def from_text(cls, text: str) -> Sightings:
		"""The inverse; what is no such text is no sighting."""
		if len(text) > MAX_TEXT:
			return cls()
		try:
			place, mac, turns, left, twin_seen = json.loads(text)
			return cls(
				str(place)[:45],
				str(mac)[:32],
				tuple(int(turn) for turn in turns)[-TURNS:],
				tuple((str(where)[:45], int(when)) for where, when in left)[-KEPT:],
				int(twin_seen),
			)
		except (ValueError, TypeError, OverflowError):
			return cls()
