"""The tracker: which face of this frame is which of the frames before, by where it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from attendance_bridge.core.config import option
from attendance_bridge.recognition.boxes import overlap
from attendance_bridge.recognition.face import Face


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackerSettings:
	least_overlap: float = option(
		0.2, help="a face goes on a track when their boxes overlap by more", minimum=0, maximum=1
	)
	reach: float = option(
		0.6, help="or when its middle has moved by less than this share of its width", minimum=0, maximum=5
	)
	patience_seconds: float = option(
		1.0, help="a track without a face ends after this time", minimum=0.05, maximum=60
	)


@dataclass(slots=True, kw_only=True, eq=False)
class Track:
	"""One face through several frames."""

	number: int
	"""Never used twice."""
	face: Face
	"""As it was last seen."""
	first_seen: float
	last_seen: float
	"""Seconds, of the clock of the frames."""
	seen: int = field(default=1)
	"""In how many frames."""


class Tracker:
	"""Holds the tracks that are alive."""

	def __init__(self, settings: TrackerSettings) -> None:
		self._settings = settings
		self._tracks: list[Track] = []
		self._next = 1

	def update(self, faces: Sequence[Face], seconds: float) -> list[Track]:
		"""Put the faces of a frame on tracks; returns those that were seen in it, in the order of `faces`."""
		self.forget(seconds)
		owners = self._assign(faces)
		seen = []
		for place, face in enumerate(faces):
			track = owners.get(place)
			if track is None:
				track = Track(number=self._next, face=face, first_seen=seconds, last_seen=seconds)
				self._next += 1
				self._tracks.append(track)
			else:
				track.face, track.last_seen, track.seen = face, seconds, track.seen + 1
			seen.append(track)
		return seen

	def forget(self, seconds: float) -> None:
		"""End the tracks that have not been seen for too long."""
		oldest = seconds - self._settings.patience_seconds
		self._tracks = [track for track in self._tracks if track.last_seen >= oldest]

	@property
	def alive(self) -> tuple[Track, ...]:
		return tuple(self._tracks)

	def _assign(self, faces: Sequence[Face]) -> dict[int, Track]:
		"""The nearest pairs first; every face and every track once."""
		if not faces or not self._tracks:
			return {}
		boxes = np.stack([track.face.box for track in self._tracks])
		pairs = [
			(-near, place, index)
			for place, face in enumerate(faces)
			for index, near in enumerate(self._nearness(face, boxes))
			if near > 0
		]
		owners: dict[int, Track] = {}
		taken: set[int] = set()
		for _near, place, index in sorted(pairs):
			if place not in owners and index not in taken:
				owners[place] = self._tracks[index]
				taken.add(index)
		return owners

	def _nearness(self, face: Face, boxes: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> list[float]:
		"""Above 1 where boxes overlap enough, from 0 to 1 where only the middles are near, 0 elsewhere."""
		shared = overlap(face.box, boxes)
		moved = np.hypot(*((boxes[:, :2] + boxes[:, 2:] - face.box[:2] - face.box[2:]) / 2).T)
		widths = np.maximum(boxes[:, 2] - boxes[:, 0], face.width)
		closeness = 1 - moved / np.maximum(self._settings.reach * widths, 1e-6)
		near: list[float] = np.where(
			shared > self._settings.least_overlap, 1 + shared, np.maximum(closeness, 0)
		).tolist()
		return near
