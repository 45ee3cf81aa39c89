"""What is wrong with terminals, agents and shifts, and what to do: the words of alerts and of health.

As in `messages`: facts from outside are cut short and carry no angle bracket.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import frappe
from frappe import _, _lt

from attendance_bridge.bench.messages import Facts, harmless
from attendance_bridge.core.causes import Cause, Finding
from attendance_bridge.core.drift import ClockCause

_LONGEST_TITLE = 140
"""What a field of kind Data takes; the name of a terminal alone may be as long."""

_SENTENCES = {
	Cause.DEVICE_DARK: _lt("Nothing was heard of the terminal {subject} for {span}."),
	Cause.WRONG_PASSWORD: _lt("The terminal {subject} refuses our password, or has locked the account."),
	Cause.WRONG_DEVICE: _lt("Another terminal than before answers where {subject} is configured."),
	Cause.CLOCK_OFF: _lt("The clock of the terminal {subject} is wrong by {offset}."),
	Cause.NEARLY_FULL: _lt(
		"The log of the terminal {subject} is {percent} % full, and takes {left} more records.{full}"
	),
	Cause.COUNT_MISMATCH: _lt(
		"The terminal {subject} holds {count} punches that are not here, although it was read again."
	),
	Cause.BACKLOG: _lt("{count} punches wait to become check-ins.{where}"),
	Cause.UNMAPPED: _lt("{count} IDs on terminals are nobody's."),
	Cause.SHIFT_HELD: _lt("The attendance of the shift {subject} has been held for {span}."),
	Cause.AGENT_GONE: _lt("The edge agent {subject} has been silent for {span}."),
	Cause.SITE_UNREACHABLE: _lt("The site cannot be reached."),
	Cause.DISK_FULL: _lt("Only {megabytes} MB are left on the disk of the edge agent {subject}."),
}

_OF_MANY = {
	Cause.DEVICE_DARK: (
		_lt("Nothing is heard of {count} terminals and agents at once: {names}."),
		_lt(
			"Look first at what they share: the background workers and the network of this site, a switch, a"
			" line. While this lasts nobody is told of each of them. They keep their punches."
		),
	),
	Cause.CLOCK_OFF: (
		_lt("The clocks of {count} terminals are wrong at once: {names}."),
		_lt(
			"Look first whether the clock and the time zone of this server are right, and whether summer time"
			" has just begun or ended. Then Sync Clock on each, or Correct Clocks in Attendance Bridge"
			" Settings."
		),
	),
	Cause.SHIFT_HELD: (
		_lt("The attendance of {count} shifts is held: {names}."),
		_lt("The report Held Shifts names the terminals that hold them. Nobody is marked Absent meanwhile."),
	),
}
"""What is wrong and what to do, where most have it at once (`core.causes.together`)."""

_ADVICE = {
	Cause.DEVICE_DARK: _lt(
		"Look whether it is switched on and in the network, and whether its address has changed; then Test"
		" Connection on its Device Configuration. Its punches are not lost: it keeps them."
	),
	Cause.WRONG_PASSWORD: _lt(
		"Correct the password in its Device Configuration. It is not tried again before, so that the account"
		" is not locked for everybody."
	),
	Cause.WRONG_DEVICE: _lt(
		"Correct the address in its Device Configuration, or press Accept New Terminal there if it was"
		" replaced."
	),
	Cause.CLOCK_OFF: _lt(
		"Press Sync Clock on its Device Configuration, or correct the time zone there; then re-time what is"
		" in quarantine. Correct Clocks in Attendance Bridge Settings does it by itself."
	),
	Cause.NEARLY_FULL: _lt(
		"Everything up to the watermark is here. Have old records deleted at the terminal, before it"
		" overwrites what was not read or refuses people."
	),
	Cause.COUNT_MISMATCH: _lt(
		"Fetch the days in question again from its Device Configuration. If they still differ, compare its"
		" own list with Unreadable Records and the Punch Log."
	),
	Cause.BACKLOG: _lt(
		"See whether the background workers run, and look into the Error Log; the punches are held and lost"
		" by nothing."
	),
	Cause.UNMAPPED: _lt("Give the IDs to employees on the page Unmapped People: past punches follow."),
	Cause.SHIFT_HELD: _lt(
		"The report Held Shifts names the terminal that holds it. Nobody is marked Absent meanwhile."
	),
	Cause.AGENT_GONE: _lt(
		"Look whether its machine is switched on and in the network. Its terminals keep their punches, and it"
		" delivers them when it is back."
	),
	Cause.SITE_UNREACHABLE: _lt("Check the network of the agent. What it holds is delivered later."),
	Cause.DISK_FULL: _lt("Free space on that machine: without it the agent cannot hold more punches."),
}

_CLOCK_CAUSES = {
	ClockCause.DRIFT: _lt("It runs fast or slow, or was set wrong"),
	ClockCause.SUMMER_TIME: _lt("It looks as if it had missed, or wrongly made, a change of summer time"),
	ClockCause.TIME_ZONE: _lt("It looks like the time of another zone: check the time zone here and there"),
	ClockCause.RESET: _lt("It has started again in the past: its battery may be empty"),
}


def title(label: str, subject: str) -> str:
	"""
	:param label: of the field `cause`.
	"""
	return (f"{_(label)}: {harmless(subject)}" if subject else _(label))[:_LONGEST_TITLE]


def sentence(finding: Finding) -> str:
	"""What is wrong."""
	facts: Any = Facts(
		(key, "?" if value is None else harmless(value)) for key, value in finding.facts.items()
	)
	given = finding.facts
	facts["subject"] = harmless(finding.subject)
	facts["span"] = _span(given)
	facts["offset"] = _offset(given.get("seconds"))
	days = given.get("days")
	facts["full"] = "" if days is None else _(" At its usual rate it is full in {0} days.").format(days)
	facts["where"] = (
		_(" They are held by the edge agent {0}.").format(facts["subject"]) if finding.subject else ""
	)
	words = _OF_MANY[finding.cause][0] if is_of_many(finding) else _SENTENCES[finding.cause]
	return str(words).format_map(facts)


def advice(finding: Finding) -> str:
	"""What to do about it."""
	return str(_OF_MANY[finding.cause][1] if is_of_many(finding) else _ADVICE[finding.cause])


def is_of_many(finding: Finding) -> bool:
	"""Whether it stands for those that most terminals, agents or shifts have."""
	return not finding.subject and finding.cause in _OF_MANY


def clock_cause(cause: ClockCause) -> str:
	"""What an error of a clock looks like."""
	return str(_CLOCK_CAUSES[cause])


def summary_of_punches(day: Any, counts: Mapping[str, int]) -> str:
	"""What a day brought.

	:param counts: punches by status.
	"""
	if not counts:
		return _("{0}: no punches.").format(frappe.utils.format_date(day))
	parts = ", ".join(f"{_(status)}: {count}" for status, count in sorted(counts.items()))
	return _("{0}: {1} punches ({2}).").format(frappe.utils.format_date(day), sum(counts.values()), parts)


def _span(facts: Mapping[str, Any]) -> str:
	minutes, hours = facts.get("minutes"), facts.get("hours")
	if hours is None and minutes is not None and minutes >= 120:
		hours = minutes // 60
	if hours is not None:
		return _("{0} days").format(hours // 24) if hours >= 48 else _("{0} hours").format(hours)
	return _("{0} minutes").format(minutes) if minutes is not None else _("as long as it exists")


def _offset(seconds: Any) -> str:
	if seconds is None:
		return "?"
	size = abs(seconds)
	words = (
		_("{0} days").format(size // 86_400)
		if size >= 172_800
		else _("{0} minutes").format(size // 60)
		if size >= 120
		else _("{0} seconds").format(size)
	)
	return _("{0} (it is ahead)").format(words) if seconds > 0 else _("{0} (it is behind)").format(words)
