"""The kinds of anomalies, what each says, and what to do about it.

The words are about punches and records, never about what somebody may have meant. What is said of one is a
`Said`, which is told in one language or another: on record in that of the site, by the form and the list in
that of whoever reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from frappe import _lt

from attendance_bridge.bench.messages import harmless
from attendance_bridge.bench.workdays import words
from attendance_bridge.core.direction import LogType
from attendance_bridge.core.workday.day import Anomaly, Scan

OUT_OF_REACH = "Out of Reach"
HELD_BY_CLOCK = "Held by Clock"
TOGETHER = "Punches Together"

OF_DAY = {
	Anomaly.MISSING_IN.value: "Missing IN",
	Anomaly.MISSING_OUT.value: "Missing OUT",
	Anomaly.IN_AFTER_IN.value: "IN after IN",
	Anomaly.OUT_AFTER_OUT.value: "OUT after OUT",
	Anomaly.PUNCH_ON_LEAVE.value: "Punch on Leave",
	Anomaly.PUNCH_ON_DAY_OFF.value: "Punch on Day Off",
	words.HOURS_DIFFER: "Hours Differ",
}
"""By the codes that stand on Attendance: what is of one day and one shift."""

OF_PERSON = (OUT_OF_REACH, HELD_BY_CLOCK)
"""What is of one day, whatever the shift."""


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
	"""A sentence with what goes into it, in no language yet."""

	pattern: Any
	"""What `_lt` gives."""
	values: Sequence[str | float | Sentence] = ()

	def __str__(self) -> str:
		return str(self.pattern).format(*self.values)

	def plain(self) -> list[Any]:
		"""The pattern in English, then the values; one that is a sentence itself is a list as well."""
		values = [value.plain() if isinstance(value, Sentence) else value for value in self.values]
		return [self.pattern.msg, *values]


Said = tuple[Sentence, ...]


def tell(said: Said) -> str:
	"""In the language of the moment."""
	return " ".join(map(str, said))


def plain(said: Said) -> list[list[Any]]:
	"""For `public/js/anomalies.js`, which tells it in the language of the reader."""
	return [sentence.plain() for sentence in said]


_ADVICE = {
	"Missing IN": _lt("Ask when the person came, and add the missing punch."),
	"Missing OUT": _lt("Ask when the person left, and add the missing punch."),
	"IN after IN": _lt("Ask whether the person left in between; if so, add the missing OUT."),
	"OUT after OUT": _lt("Ask whether the person came back in between; if so, add the missing IN."),
	"Punch on Leave": _lt(
		"If the person worked, shorten or cancel the Leave Application; otherwise dismiss this."
	),
	"Punch on Day Off": _lt(
		"If the work was agreed: its hours are overtime, and can be approved once the day has an Attendance."
		" Where HRMS marks none on days off, make it by an Attendance Request; otherwise dismiss this."
	),
	"Hours Differ": _lt("Have HRMS judge the day again, so that it counts all punches of it."),
	OUT_OF_REACH: _lt(
		"Look at the two punches: one clock may be wrong, two terminals may hang at one site, or a card was"
		" used by somebody else. Ask before you decide."
	),
	HELD_BY_CLOCK: _lt("Look at the punches and approve their time, re-time them, or ignore them."),
	TOGETHER: _lt(
		"This says only that the punches came together: people who arrive together look the same. Let the"
		" terminal ask for a face or a finger if you need to know."
	),
}


def advice(kind: str) -> Said:
	"""What to do about a kind."""
	return (Sentence(_ADVICE[kind]),)


def of_day(code: str, scans: Sequence[Scan], times: Sequence[datetime], held: float, found: float) -> Said:
	"""What an anomaly of `OF_DAY` says.

	:param times: of the scans, in site time.
	:param held: hours that HRMS holds.
	:param found: hours that the punches come to.
	"""
	if code in (Anomaly.IN_AFTER_IN.value, Anomaly.OUT_AFTER_OUT.value):
		return _twice(LogType.IN if code == Anomaly.IN_AFTER_IN.value else LogType.OUT, scans, times)
	pattern: Any
	values: tuple[str | float, ...]
	if code == Anomaly.MISSING_IN.value:
		pattern, values = _lt("The first punch, at {0}, is an OUT."), (clock(times[0]),)
	elif code == Anomaly.MISSING_OUT.value:
		pattern, values = _lt("No OUT follows the last punch, at {0}."), (clock(times[-1]),)
	elif code == Anomaly.PUNCH_ON_LEAVE.value:
		pattern = _lt("A day of leave with punches ({0}), the first at {1}.")
		values = (len(times), clock(times[0]))
	elif code == Anomaly.PUNCH_ON_DAY_OFF.value:
		pattern = _lt("A day off with punches ({0}), the first at {1}.")
		values = (len(times), clock(times[0]))
	else:
		pattern = _lt("HRMS holds {0} hours, the punches come to {1}.")
		values = (round(held, 2), round(found, 2))
	return (Sentence(pattern, values),)


def _twice(log_type: LogType, scans: Sequence[Scan], times: Sequence[datetime]) -> Said:
	places = [
		place
		for place, (before, after) in enumerate(pairwise(scans))
		if before.log_type is after.log_type is log_type
	]
	values = clock(times[places[0]]), clock(times[places[0] + 1])
	if log_type is LogType.IN:
		return (Sentence(_lt("The IN at {0} is followed by an IN at {1}."), values),)
	return (Sentence(_lt("The OUT at {0} is followed by an OUT at {1}."), values),)


def out_of_reach(
	first: tuple[datetime, str], second: tuple[datetime, str], apart: timedelta, takes: timedelta, more: int
) -> Said:
	"""
	:param first: when (in site time) and on which terminal.
	:param more: how many such pairs the day has besides.
	"""
	pattern = _lt("{0} at {1} and {2} at {3} are {4} apart. The way takes {5} at least.")
	punches = [value for at, device in (first, second) for value in (harmless(device), clock(at))]
	said = Sentence(pattern, (*punches, _minutes(apart), _minutes(takes)))
	return (said, Sentence(_lt("There are {0} more such pairs."), (more,))) if more else (said,)


def held_by_clock(punches: int, terminals: Sequence[str]) -> Said:
	pattern = _lt("Held punches: {0}. The clock of {1} could not be believed.")
	return (Sentence(pattern, (punches, harmless(", ".join(terminals)))),)


def together(people: int, days: int, seconds: int, contradicted: int) -> Said:
	if people == 1:
		pattern = _lt("On {0} days in a row a punch came within {1} seconds of one of another person.")
	else:
		pattern = _lt("On {0} days in a row punches came within {1} seconds of those of {2} other people.")
	said = Sentence(pattern, (days, seconds, people))
	if not contradicted:
		return (said,)
	return said, Sentence(_lt("On {0} of these days other records do not fit."), (contradicted,))


def clock(moment: datetime) -> str:
	"""The time of day."""
	return f"{moment:%H:%M}"


def _minutes(span: timedelta) -> Sentence:
	if span < timedelta(minutes=1):
		return Sentence(_lt("{0} seconds"), (round(span.total_seconds()),))
	return Sentence(_lt("{0} minutes"), (round(span / timedelta(minutes=1)),))
