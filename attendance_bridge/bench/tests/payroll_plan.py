"""A month of a small factory, April 2026: what its people did, and what it comes to, worked out by hand.

The app computes nothing here: the plan says when each punch is made, the sheet what HRMS has to pay. The
arithmetic stands beside each line.

April 2026 has 30 days. Sundays are 5, 12, 19 and 26, and Friday 10 is a holiday, so that there are
30 - 4 - 1 = 25 working days. A base of 2500 is 2500 / 25 = 100 a day.

Day shift 09:00 to 17:00; in time up to 09:10, half a day below 4 hours, absent below 2.
An hour is worth 12: overtime (17:00 to 19:00) 12 x 1.25 = 15, extra overtime (after 19:00) 12 x 1.5 = 18, on
days off 12 x 2 = 24. Snacks 15 from 1 hour of extra overtime, night bill 40 from 5.

Night shift 22:00 to 06:00. An hour is worth 2500 / 200 = 12.5: overtime (06:00 to 08:00) 12.5 x 1.2 = 15,
extra overtime (after 08:00) 12.5 x 1.6 = 20. Snacks 15 from 1 hour.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

YEAR, MONTH = 2026, 4
FIRST, LAST = date(YEAR, MONTH, 1), date(YEAR, MONTH, 30)
HOLIDAY = date(YEAR, MONTH, 10)
BASE = 2500
SUNDAY = 6

DAY, NIGHT = "Day", "Night"
_USUAL = {DAY: ("08:55", "17:00"), NIGHT: ("21:52", "06:00")}
"""When people come and go who do nothing special."""

NOTHING: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
	"""What somebody did, and what it comes to."""

	number: int
	shifts: dict[int, str] = field(default_factory=lambda: {1: DAY})
	"""The shift from a day of the month on."""
	days: dict[int, tuple[str, ...]] = field(default_factory=dict)
	"""Punches of days that were not as usual; earlier than the first: on the next date."""
	joined: int | None = None
	left: int | None = None
	leave: tuple[int, int] | None = None
	"""From and to a day, without pay."""
	half_leave: int | None = None
	rejected: int | None = None
	"""The head of the department rejects the overtime of this day."""
	cut: dict[int, tuple[float, float]] = field(default_factory=dict)
	"""Of a day so many hours of overtime and extra overtime are approved only."""

	present: int = 25
	half: int = 0
	absent: float = 0.0
	unpaid_leave: float = 0.0
	payment_days: float = 25.0
	basic: float = 2500.0
	overtime: float = 0.0
	extra: float = 0.0
	snacks: float = 0.0
	night_bill: float = 0.0
	late: int = 0
	early: int = 0

	def shift(self, day: int) -> str:
		return self.shifts[max(start for start in self.shifts if start <= day)]

	def punches(self) -> Iterator[tuple[datetime, int]]:
		"""Wall time, and at which place of its day: 0 is the first IN."""
		for number in range(1, LAST.day + 1):
			day = date(YEAR, MONTH, number)
			if number in self.days:
				times = self.days[number]
			elif day.weekday() == SUNDAY or day == HOLIDAY or self._is_away(number):
				times = NOTHING
			else:
				times = _USUAL[self.shift(number)]
			for place, text in enumerate(times):
				at = datetime.combine(day, time.fromisoformat(text))
				if text < times[0]:
					at += timedelta(days=1)
				yield at, place

	def _is_away(self, day: int) -> bool:
		if day < (self.joined or 1) or day > (self.left or LAST.day):
			return True
		return self.leave is not None and self.leave[0] <= day <= self.leave[1]


PEOPLE = (
	# Always as usual: 25 days, 25 x 100 = 2500.
	Person(number=1),
	# Overtime on three days:
	#   2nd, to 18:30: 17:00-18:30 = 1.5
	#   7th, to 20:00: 17:00-19:00 = 2, 19:00-20:00 = 1 extra, so snacks
	#   14th, to 00:30 of the 15th: 2, and 19:00-00:30 = 5.5 extra, so snacks and the night bill
	# 1.5 + 2 + 2 = 5.5 x 15 = 82.5; 1 + 5.5 = 6.5 x 18 = 117; 2 x 15 = 30; 40
	Person(
		number=2,
		days={2: ("08:55", "18:30"), 7: ("08:55", "20:00"), 14: ("08:55", "00:30")},
		overtime=82.5,
		extra=117.0,
		snacks=30.0,
		night_bill=40.0,
	),
	# Late three times and early once; within the grace on the 16th. Each day has more than 4 hours.
	Person(
		number=3,
		days={
			6: ("09:25", "17:00"),
			13: ("09:40", "17:00"),
			27: ("09:11", "17:00"),
			16: ("09:10", "17:00"),
			20: ("08:55", "16:00"),
		},
		late=3,
		early=1,
	),
	# Did not come on three days: 25 - 3 = 22 x 100 = 2200.
	Person(
		number=4,
		days={8: NOTHING, 9: NOTHING, 23: NOTHING},
		present=22,
		absent=3.0,
		payment_days=22.0,
		basic=2200.0,
	),
	# 15th: 09:00-12:30 = 3.5 hours, below 4, half a day. 16th: 09:00-10:30 = 1.5 hours, below 2, absent.
	# 0.5 + 1 = 1.5 absent; 25 - 1.5 = 23.5 x 100 = 2350. 23 whole days. Early on both.
	Person(
		number=5,
		days={15: ("09:00", "12:30"), 16: ("09:00", "10:30")},
		present=23,
		half=1,
		absent=1.5,
		payment_days=23.5,
		basic=2350.0,
		early=2,
	),
	# Three days of leave without pay (20th to 22nd): 25 - 3 = 22 x 100 = 2200.
	Person(number=6, leave=(20, 22), present=22, unpaid_leave=3.0, payment_days=22.0, basic=2200.0),
	# Half a day of leave without pay on the 17th, and 13:00-18:00 worked: 17:00-18:00 = 1 x 15 = 15.
	# 25 - 0.5 = 24.5 x 100 = 2450. For HRMS they come late, four hours after the shift begins.
	Person(
		number=7,
		half_leave=17,
		days={17: ("13:00", "18:00")},
		present=24,
		half=1,
		unpaid_leave=0.5,
		payment_days=24.5,
		basic=2450.0,
		overtime=15.0,
		late=1,
	),
	# Forgot the OUT of the 21st: no hours, below 2, so absent until it is put right. 24 x 100 = 2400.
	Person(
		number=8,
		days={21: ("08:55",)},
		present=24,
		absent=1.0,
		payment_days=24.0,
		basic=2400.0,
	),
	# Worked on the holiday, 10:00-15:00 = 5, and on Sunday the 12th, 09:00-13:00 = 4: 9 x 24 = 216.
	# Present on 25 + 2 days, paid for 25. HRMS calls the holiday late and early, and the Sunday early.
	Person(
		number=9,
		days={10: ("10:00", "15:00"), 12: ("09:00", "13:00")},
		present=27,
		overtime=216.0,
		late=1,
		early=2,
	),
	# Nights. 7th, to 07:30: 06:00-07:30 = 1.5.
	# 13th, to 09:00: 06:00-08:00 = 2, 08:00-09:00 = 1 extra, so snacks.
	# 3.5 x 15 = 52.5; 1 x 20 = 20; 15
	Person(
		number=10,
		shifts={1: NIGHT},
		days={7: ("21:52", "07:30"), 13: ("21:50", "09:00")},
		overtime=52.5,
		extra=20.0,
		snacks=15.0,
	),
	# Days up to the 15th, nights from the 16th. 3rd, to 18:00: 1 x 15. 17th, to 06:45: 0.75 x 15 = 11.25.
	# 15 + 11.25 = 26.25
	Person(
		number=11,
		shifts={1: DAY, 16: NIGHT},
		days={3: ("08:55", "18:00"), 17: ("21:55", "06:45")},
		overtime=26.25,
	),
	# Joined on the 13th: 13th to 30th are 18 days, less the Sundays 19 and 26: 16 x 100 = 1600.
	Person(number=12, joined=13, present=16, payment_days=16.0, basic=1600.0),
	# Left on the 17th: 1st to 17th are 17 days, less the Sundays 5 and 12 and the holiday: 14 x 100 = 1400.
	# 16th, to 18:00: 1 x 15.
	Person(
		number=14,
		left=17,
		days={16: ("08:55", "18:00")},
		present=14,
		payment_days=14.0,
		basic=1400.0,
		overtime=15.0,
	),
	# 9th, to 19:00: 2 hours, rejected. 24th, to 20:30: 2 and 1.5 extra with snacks, of which 1 and 0.5 are
	# approved: 1 x 15 = 15; 0.5 x 18 = 9; the snacks stay: 15.
	Person(
		number=13,
		days={9: ("08:55", "19:00"), 24: ("08:55", "20:30")},
		rejected=9,
		cut={24: (1.0, 0.5)},
		overtime=15.0,
		extra=9.0,
		snacks=15.0,
	),
)
