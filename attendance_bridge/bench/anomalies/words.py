"""The kinds of anomalies, what each says, and what to do about it.

The words are about punches and records, never about what somebody may have meant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from frappe import _, _lt
from frappe.utils import format_datetime

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


def advice(kind: str) -> str:
	"""What to do about a kind."""
	return str(_ADVICE[kind])


def of_day(code: str, scans: Sequence[Scan], times: Sequence[datetime], held: float, found: float) -> str:
	"""What an anomaly of `OF_DAY` says.

	:param times: of the scans, in site time.
	:param held: hours that HRMS holds.
	:param found: hours that the punches come to.
	"""
	if code == Anomaly.MISSING_IN.value:
		return _("The first punch, at {0}, is an OUT.").format(clock(times[0]))
	if code == Anomaly.MISSING_OUT.value:
		return _("No OUT follows the last punch, at {0}.").format(clock(times[-1]))
	if code in (Anomaly.IN_AFTER_IN.value, Anomaly.OUT_AFTER_OUT.value):
		return _twice(LogType.IN if code == Anomaly.IN_AFTER_IN.value else LogType.OUT, scans, times)
	if code == Anomaly.PUNCH_ON_LEAVE.value:
		return _("A day of leave with punches ({0}), the first at {1}.").format(len(times), clock(times[0]))
	if code == Anomaly.PUNCH_ON_DAY_OFF.value:
		return _("A day off with punches ({0}), the first at {1}.").format(len(times), clock(times[0]))
	return _("HRMS holds {0} hours, the punches come to {1}.").format(round(held, 2), round(found, 2))


def _twice(log_type: LogType, scans: Sequence[Scan], times: Sequence[datetime]) -> str:
	places = [
		place
		for place, (before, after) in enumerate(pairwise(scans))
		if before.log_type is after.log_type is log_type
	]
	before, after = clock(times[places[0]]), clock(times[places[0] + 1])
	if log_type is LogType.IN:
		return _("The IN at {0} is followed by an IN at {1}.").format(before, after)
	return _("The OUT at {0} is followed by an OUT at {1}.").format(before, after)


def out_of_reach(
	first: tuple[datetime, str], second: tuple[datetime, str], apart: timedelta, takes: timedelta, more: int
) -> str:
	"""
	:param first: when (in site time) and on which terminal.
	:param more: how many such pairs the day has besides.
	"""
	said = _("{0} at {1} and {2} at {3} are {4} apart. The way takes {5} at least.").format(
		first[1], clock(first[0]), second[1], clock(second[0]), _minutes(apart), _minutes(takes)
	)
	return said + " " + _("There are {0} more such pairs.").format(more) if more else said


def held_by_clock(punches: int, terminals: Sequence[str]) -> str:
	return _("Held punches: {0}. The clock of {1} could not be believed.").format(
		punches, ", ".join(terminals)
	)


def together(people: int, days: int, seconds: int, contradicted: int) -> str:
	if people == 1:
		said = _("On {0} days in a row a punch came within {1} seconds of one of another person.")
	else:
		said = _("On {0} days in a row punches came within {1} seconds of those of {2} other people.")
	said = said.format(days, seconds, people)
	if not contradicted:
		return said
	return said + " " + _("On {0} of these days other records do not fit.").format(contradicted)


def clock(moment: datetime) -> str:
	"""The time of day, as the site writes it."""
	return str(format_datetime(moment, "HH:mm"))


def _minutes(span: timedelta) -> str:
	if span < timedelta(minutes=1):
		return _("{0} seconds").format(round(span.total_seconds()))
	return _("{0} minutes").format(round(span / timedelta(minutes=1)))
