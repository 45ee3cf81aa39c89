"""Two punches of one person at places that nobody reaches in the time between them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

_EARTH_RADIUS_KM = 6371.0
_SAME_SITE_KM = 0.5
"""Terminals nearer than this hang at one site, whatever their branches are called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
	"""Where a terminal hangs, as far as it is known."""

	site: str = ""
	"""Name of the site (a branch); empty: not known."""
	position: tuple[float, float] | None = None
	"""Latitude and longitude in degrees."""

	@property
	def is_known(self) -> bool:
		return bool(self.site) or self.position is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
	"""A punch, as far as it tells where somebody was."""

	punch: str
	"""Its identity."""
	device: str
	at: datetime
	"""Aware."""
	place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class TravelRules:
	least: timedelta = timedelta(minutes=10)
	"""The way between two sites takes at least this long where their distance is not known; nothing: no pair
	is looked at."""
	speed: float = 100.0
	"""Kilometres an hour, as the crow flies: nobody is faster where the distance is known."""
	clock_error: timedelta = timedelta(seconds=120)
	"""Either clock may be wrong by this much without anybody noticing."""


@dataclass(frozen=True, slots=True)
class Pair:
	"""Two punches that cannot both be of the person they are booked on, if both clocks are right."""

	earlier: Visit
	later: Visit
	takes: timedelta
	"""What the way takes at least."""

	@property
	def apart(self) -> timedelta:
		return self.later.at - self.earlier.at


def find_unreachable(visits: Iterable[Visit], rules: TravelRules) -> list[Pair]:
	"""The pairs of successive punches of one person that are nearer in time than their places allow.

	A punch at an unknown place tells nothing. Terminals of one site never make a pair.

	:param visits: of one person, in any order.
	"""
	known = sorted(
		(visit for visit in visits if visit.place.is_known), key=lambda visit: (visit.at, visit.punch)
	)
	found = []
	for earlier, later in pairwise(known):
		takes = least_time(earlier, later, rules)
		if takes is not None and later.at - earlier.at + 2 * rules.clock_error < takes:
			found.append(Pair(earlier, later, takes))
	return found


def least_time(one: Visit, other: Visit, rules: TravelRules) -> timedelta | None:
	"""How long the way from one to the other takes at least; None if they hang at one site, or who knows."""
	here, there = one.place, other.place
	if not rules.least or one.device == other.device or (here.site and here.site == there.site):
		return None
	if here.position is not None and there.position is not None:
		distance = kilometres(here.position, there.position)
		return timedelta(hours=distance / rules.speed) if distance > _SAME_SITE_KM else None
	return rules.least if here.site and there.site else None


def kilometres(one: tuple[float, float], other: tuple[float, float]) -> float:
	"""The distance of two positions in degrees, over the surface of the earth."""
	north, east = radians(other[0] - one[0]), radians(other[1] - one[1])
	chord = sin(north / 2) ** 2 + cos(radians(one[0])) * cos(radians(other[0])) * sin(east / 2) ** 2
	return 2 * _EARTH_RADIUS_KM * asin(min(1.0, sqrt(chord)))
