"""One alert a cause: when it opens, when it is over, and who may be told again. Pure; the clock is handed in.

What comes and goes within minutes neither opens an alert nor ends one, and however often a cause returns,
people are told about it once in the quiet time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
	"""How sure we are before anything is said."""

	opens_after: timedelta = timedelta(minutes=4)
	"""How long a cause must have been there: two looks of five minutes, whatever their jitter."""
	clears_after: timedelta = timedelta(minutes=14)
	"""How long it must have been away."""
	quiet: timedelta = timedelta(hours=6)
	"""How long nobody is told a second time."""


class Event(str, Enum):
	"""What a look makes of an alert."""

	NOTHING = "nothing"
	OPENED = "opened"
	CLEARED = "cleared"
	FORGOTTEN = "forgotten"
	"""It was gone before it was one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
	"""A cause that was seen. All moments aware."""

	first_seen: datetime
	last_seen: datetime
	gone_since: datetime | None = None
	"""The first look at which it was not there any more."""
	opened: datetime | None = None
	"""None while it is not sure yet."""
	notified: datetime | None = None
	"""When people were told of it; None if they were not, because they had been told lately."""

	def is_open(self) -> bool:
		return self.opened is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
	alert: Alert | None
	"""None: there is nothing to keep."""
	event: Event = Event.NOTHING
	notify: bool = False
	"""Tell people: that it is there, or, at CLEARED, that it is over."""


def step(
	alert: Alert | None,
	present: bool,
	now: datetime,
	patience: Patience,
	*,
	told_before: datetime | None = None,
) -> Step:
	"""What one look makes of an alert.

	:param alert: as the look before has left it; None if there is none.
	:param present: whether the cause is there.
	:param told_before: aware; when people were last told of this cause, by an alert that is over.
	"""
	if alert is None:
		alert = Alert(first_seen=now, last_seen=now) if present else None
		if alert is None:
			return Step(alert=None)
	elif present:
		# Nobody has looked for a while (the site was down): what was not sure before begins anew.
		is_stale = alert.opened is None and now - alert.last_seen >= patience.clears_after
		first_seen = now if is_stale else alert.first_seen
		alert = replace(alert, first_seen=first_seen, last_seen=now, gone_since=None)
	if present:
		return _there(alert, now, patience, told_before)
	return _away(alert, now, patience)


def _there(alert: Alert, now: datetime, patience: Patience, told_before: datetime | None) -> Step:
	event = Event.NOTHING
	if alert.opened is None:
		if now - alert.first_seen < patience.opens_after:
			return Step(alert=alert)
		alert, event = replace(alert, opened=now), Event.OPENED
	if alert.notified is not None:
		return Step(alert=alert, event=event)
	if told_before is not None and now - told_before < patience.quiet:
		return Step(alert=alert, event=event)
	return Step(alert=replace(alert, notified=now), event=event, notify=True)


def _away(alert: Alert, now: datetime, patience: Patience) -> Step:
	if alert.opened is None:
		return Step(alert=None, event=Event.FORGOTTEN)
	if alert.gone_since is None:
		alert = replace(alert, gone_since=now)
	if now - (alert.gone_since or now) < patience.clears_after:
		return Step(alert=alert)
	return Step(alert=alert, event=Event.CLEARED, notify=alert.notified is not None)
