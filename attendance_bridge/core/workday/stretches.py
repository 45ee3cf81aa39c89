"""Stretches of work between an IN and an OUT, and the breaks in and between them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from attendance_bridge.core.direction import LogType
from attendance_bridge.core.punch import DeviceKey
from attendance_bridge.core.workday.day import Scan
from attendance_bridge.core.workday.rules import NOTHING, Counting, Pairing, ShiftRules

Stretch = tuple[datetime, datetime]
"""From, to; both aware, in UTC."""


@dataclass(frozen=True, slots=True)
class Work:
	"""What a day's punches come to."""

	first_in: datetime | None
	last_out: datetime | None
	stretches: tuple[Stretch, ...]
	"""Without the breaks that are no work."""
	breaks: timedelta
	"""Taken, whether they are work or not."""
	unpaid: timedelta
	"""Those of them that are no work."""


def find_work(scans: Sequence[Scan], rules: ShiftRules) -> Work:
	"""Pair punches up.

	First and last, and what lies between them, are those of HRMS's `calculate_working_hours`; only where it
	makes negative hours (the last OUT lies before the first IN) there is no work here.

	:param scans: in order of time, without repetitions.
	"""
	if rules.counting is Counting.EVERY_PAIR:
		return _every_pair(scans, rules.pairing)
	return _first_to_last(scans, rules)


def length(stretches: Iterable[Stretch]) -> timedelta:
	return sum((end - begin for begin, end in stretches), NOTHING)


def _every_pair(scans: Sequence[Scan], pairing: Pairing) -> Work:
	if pairing is Pairing.ALTERNATING:
		pairs = [(begin.at, end.at) for begin, end in zip(scans[::2], scans[1::2], strict=False)]
		first = scans[0].at if scans else None
		# HRMS calls the last of an odd number an OUT; somebody who came back has not left.
		last = scans[-1].at if scans and len(scans) % 2 == 0 else None
	else:
		pairs = _strict_pairs(scans)
		first = next((scan.at for scan in scans if scan.log_type is LogType.IN), None)
		last = pairs[-1][1] if pairs else None
	away = sum((after[0] - before[1] for before, after in pairwise(pairs)), NOTHING)
	return Work(first, last, tuple(pairs), away, away)


def _strict_pairs(scans: Sequence[Scan]) -> list[Stretch]:
	pairs = []
	begin: datetime | None = None
	for scan in scans:
		if begin is None and scan.log_type is LogType.IN:
			begin = scan.at
		elif begin is not None and scan.log_type is LogType.OUT:
			pairs.append((begin, scan.at))
			begin = None
	return pairs


def _first_to_last(scans: Sequence[Scan], rules: ShiftRules) -> Work:
	first, last = _ends(scans, rules.pairing)
	if first is None or last is None or last <= first:
		return Work(first, last if first is None else None, (), NOTHING, NOTHING)
	breaks = _breaks_by_key(scans, first, last)
	taken = length(breaks)
	if not rules.breaks.by_key_unpaid or not breaks:
		return Work(first, last, ((first, last),), taken, NOTHING)
	return Work(first, last, tuple(_without(breaks, first, last)), taken, taken)


def _ends(scans: Sequence[Scan], pairing: Pairing) -> tuple[datetime | None, datetime | None]:
	if pairing is Pairing.ALTERNATING:
		return (scans[0].at if scans else None, scans[-1].at if len(scans) > 1 else None)
	ins = (scan.at for scan in scans if scan.log_type is LogType.IN)
	outs = (scan.at for scan in reversed(scans) if scan.log_type is LogType.OUT)
	return next(ins, None), next(outs, None)


def _breaks_by_key(scans: Sequence[Scan], first: datetime, last: datetime) -> list[Stretch]:
	"""From each Break Out to the next punch that is none, within the day."""
	breaks = []
	begin: datetime | None = None
	for scan in scans:
		if scan.key is DeviceKey.BREAK_OUT:
			begin = begin or scan.at
		elif begin is not None:
			if first <= begin and scan.at <= last:
				breaks.append((begin, scan.at))
			begin = None
	return breaks


def _without(breaks: Sequence[Stretch], first: datetime, last: datetime) -> list[Stretch]:
	borders = [first, *(border for each in breaks for border in each), last]
	return [(begin, end) for begin, end in zip(borders[::2], borders[1::2], strict=True) if end > begin]
