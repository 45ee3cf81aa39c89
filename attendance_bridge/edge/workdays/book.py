"""The working days of the people of this place, out of the local ledger, one person at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone, tzinfo

from attendance_bridge.core.clock import localise
from attendance_bridge.core.driver import Now
from attendance_bridge.core.person import Person
from attendance_bridge.core.workday.day import Scan, Workday
from attendance_bridge.core.workday.engine import work_out
from attendance_bridge.core.workday.plan import DayPlan, share_out
from attendance_bridge.core.workday.tally import Tally, tally
from attendance_bridge.edge.workdays.expectation import Due, Expectation
from attendance_bridge.edge.workdays.settings import WorkingDays
from attendance_bridge.stores.agreements import Agreements, Mark, MarkKind
from attendance_bridge.stores.entered import EnteredPunch, EnteredPunches
from attendance_bridge.stores.ledger import SqliteLedger
from attendance_bridge.stores.roster import Roster

MOST_DAYS = 366
"""Of one question."""
SEEN_WITHIN = timedelta(days=31)
"""Where nobody has said who there is: whoever checked in so long ago still belongs to the place."""
LEFT = frozenset({"left", "inactive"})
_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDay:
	"""One person on one date, in one shift."""

	person: Person
	day: Workday
	is_open: bool
	"""It may still change by punches: it is not over, or a terminal may hold some of it."""
	holiday: str = ""
	"""The name of the holiday; empty on every other date."""
	mark: Mark | None = None
	"""What somebody has said of the day."""
	outside: tuple[Scan, ...] = ()
	"""Punches of the date that fall into no shift; with the first shift of the date."""
	entered: Mapping[datetime, EnteredPunch] = field(default_factory=dict)
	"""Those of all these punches that somebody entered by hand, by their moments in UTC."""


class Workdays:
	"""Safe to use from any thread; every method may raise `StoreError`."""

	def __init__(
		self,
		*,
		rules: WorkingDays,
		zone: tzinfo,
		ledger: SqliteLedger,
		roster: Roster,
		agreements: Agreements,
		entered: EnteredPunches,
		takes_everybody: bool,
		vouched_until: Callable[[], datetime | None],
		now: Now,
	) -> None:
		"""
		:param zone: in which dates and shifts are meant.
		:param takes_everybody: there is no list of people: who checks in is somebody.
		:param vouched_until: up to when (aware) all check-ins are in the ledger; None: nobody knows.
		"""
		self.rules = rules
		self.zone = zone
		self.agreements = agreements
		self.entered = entered
		self._ledger = ledger
		self._roster = roster
		self._takes_everybody = takes_everybody
		self._vouched_until = vouched_until
		self._now = now

	@property
	def today(self) -> date:
		return self._now().astimezone(self.zone).date()

	@property
	def vouched_until(self) -> datetime | None:
		"""Up to when all check-ins are in the ledger, in UTC; None: nobody knows."""
		return self._vouched_until()

	def people(self, first: date, last: date) -> list[Person]:
		"""Whose days there are between two dates, by name: all but those who have left and did not come."""
		since = self._midnight(first)
		if self._takes_everybody:
			since -= SEEN_WITHIN
		seen = set(self._ledger.people(since, self._midnight(last + _DAY)))
		found = {
			person.employee: person
			for person in self._roster.people()
			if person.status.lower() not in LEFT or person.employee in seen
		}
		for employee in seen - found.keys():
			found[employee] = Person(employee=employee, attendance_device_id=employee)
		return sorted(found.values(), key=_by_name)

	def find(self, employee: str) -> Person | None:
		"""Somebody who is listed, or has ever checked in."""
		listed = (person for person in self._roster.people() if person.employee == employee)
		found = next(listed, None)
		if found is None and self._ledger.first(employee) is not None:
			found = Person(employee=employee, attendance_device_id=employee)
		return found

	def entered_between(self, employee: str, first: date, last: date) -> list[EnteredPunch]:
		"""What was entered by hand for somebody between two dates, both included, withdrawn punches too."""
		return self.entered.of(employee, self._midnight(first), self._midnight(last + _DAY))

	def falls_outside(self, employee: str, moment: datetime) -> bool:
		"""Whether a punch at a moment (aware) falls into no shift of somebody, on a date that has one: so it
		counts for nothing."""
		person, day = self.find(employee), moment.astimezone(self.zone).date()
		if person is None:
			return False
		dues = self._expectation(person, day, day).shifts(day - _DAY, day + _DAY)
		scan = Scan(moment.astimezone(timezone.utc), None)
		_shares, outside = share_out([scan], [due.shift for due in dues])
		return bool(outside) and any(due.day == day for due in dues)

	def of(self, people: Iterable[Person], first: date, last: date) -> Iterator[list[PersonDay]]:
		"""The days of each person between two dates, both included, in order of time.

		What is held in memory does not grow with the number of people.

		:raises ValueError: the range is empty or longer than MOST_DAYS.
		"""
		if not 0 <= (last - first).days < MOST_DAYS:
			raise ValueError(f"1 to {MOST_DAYS} days")
		now, vouched_until = self._now(), self._vouched_until()
		for person in people:
			yield self._days(person, first, last, now, vouched_until)

	def _days(
		self, person: Person, first: date, last: date, now: datetime, vouched_until: datetime | None
	) -> list[PersonDay]:
		expectation = self._expectation(person, first, last)
		# A night reaches into the date before the first, and into the one after the last.
		dues = expectation.shifts(first - _DAY, last + _DAY)
		span = self._midnight(first - _DAY), self._midnight(last + 2 * _DAY)
		scans = self._ledger.scans(person.employee, *span)
		entered = _by_moment(self.entered.of(person.employee, *span))
		shares, outside = share_out(scans, [due.shift for due in dues])
		by_date = _by_date(outside, self.zone)
		worked: dict[date, list[tuple[Due | None, Sequence[Scan]]]] = defaultdict(list)
		for shift, scans_of_it in zip(dues, shares, strict=True):
			worked[shift.day].append((shift, scans_of_it))
		found = []
		for number in range((last - first).days + 1):
			day = first + number * _DAY
			rest = by_date.get(day, ())
			# Without a shift the punches of the date are its work.
			parts = worked.get(day) or [(None, rest)]
			for position, (due, share) in enumerate(parts):
				plan = self._plan(expectation, day, due)
				as_of = _as_of(self._end(plan), now, vouched_until)
				overtime = due.agreed.overtime if due is not None else self.rules.overtime
				outside_of_it = tuple(rest) if due is not None and position == 0 else ()
				found.append(
					PersonDay(
						person=person,
						day=work_out(plan, share, overtime, as_of=as_of),
						is_open=as_of is not None,
						holiday=self.rules.holidays.get(day, ""),
						mark=expectation.mark(day),
						outside=outside_of_it,
						entered=_among(entered, (*share, *outside_of_it)),
					)
				)
		return found

	def _expectation(self, person: Person, first: date, last: date) -> Expectation:
		known_since = self._ledger.first(person.employee)
		return Expectation(
			person=person,
			rules=self.rules,
			agreed=self.agreements.of(person.employee, first - _DAY, last + _DAY),
			zone=self.zone,
			known_since=known_since.astimezone(self.zone).date() if known_since else None,
		)

	def _plan(self, expectation: Expectation, day: date, due: Due | None) -> DayPlan:
		mark = expectation.mark(day)
		return DayPlan(
			date=day,
			zone=self.zone,
			shift=due.shift if due is not None else None,
			off=expectation.off(day, due.agreed if due is not None else None),
			leave=expectation.leave(day),
			present=mark is not None and mark.kind is MarkKind.PRESENT,
		)

	def _end(self, plan: DayPlan) -> datetime:
		return plan.shift.closes if plan.shift is not None else self._midnight(plan.date + _DAY)

	def _midnight(self, day: date) -> datetime:
		"""The beginning of a date here, in UTC."""
		return localise(datetime.combine(day, time()), self.zone).astimezone(timezone.utc)


def sums(person_days: Sequence[PersonDay]) -> Tally[Person]:
	"""
	:param person_days: of one person, at least one.
	"""
	days = [each.day for each in person_days]
	return tally(person_days[0].person, days, (day.worked for day in days))


def _by_name(person: Person) -> tuple[str, str]:
	return (person.full_name or person.employee).casefold(), person.employee


def _by_date(scans: Iterable[Scan], zone: tzinfo) -> dict[date, list[Scan]]:
	found: dict[date, list[Scan]] = defaultdict(list)
	for scan in scans:
		found[scan.at.astimezone(zone).date()].append(scan)
	return found


def _by_moment(entered: Iterable[EnteredPunch]) -> dict[datetime, EnteredPunch]:
	return {each.occurred_at.astimezone(timezone.utc): each for each in entered if each.withdrawn is None}


def _among(entered: Mapping[datetime, EnteredPunch], scans: Iterable[Scan]) -> dict[datetime, EnteredPunch]:
	if not entered:
		return {}
	return {scan.at: entered[scan.at] for scan in scans if scan.at in entered}


def _as_of(end: datetime, now: datetime, vouched_until: datetime | None) -> datetime | None:
	"""The moment up to which a day is looked at; None if it is over and all of it is here.

	A day that is over while a terminal may still hold some of it stands as it stood just before its end: who
	has not come is missing then, and not absent.
	"""
	if now < end:
		return now
	if vouched_until is not None and vouched_until >= end:
		return None
	return end - _MOMENT
