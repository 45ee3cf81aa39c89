"""A made-up factory: its people, and every identification they make at its terminals.

Real life is untidy, and so is this: shifts over midnight, forgotten OUTs, the same face twice within seconds,
visitors whom nobody knows, "7" beside "007", wrong keys, a clock that restarts in the year 2000 after a power
cut, a record from 2099. It is the ground truth that simulated terminals serve, so the same arguments give the
same factory in every process and every version of Python.

All times are wall time (naive, whole seconds) of the one place where the factory stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple, TypeVar

from attendance_bridge.core.punch import DeviceKey, VerifyMode

T = TypeVar("T")
Weighted = tuple[tuple[T, int], ...]
"""Values with their weights, which add up to 100."""

MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR

MAX_PEOPLE = 50_000
"""Beyond this, the ids of workers would run into those of visitors."""
COMPANY = "Example Industries"
CLOCK_AFTER_POWER_CUT = datetime(2000, 1, 1)  # noqa: DTZ001  # wall time
POWER_CUT_AT = 13 * HOUR + 40 * MINUTE
POWER_CUT_LASTS = 5 * HOUR + 30 * MINUTE
"""From the power cut until somebody sets the clock right again."""
STRAY_YEAR = 2099


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
	"""An employee, as ERPNext would describe them."""

	employee: str
	device_user_id: str
	full_name: str
	card: int
	department: str
	designation: str
	company: str
	branch: str
	shift: str
	status: str
	"""Active, Left (until half-way through the period) or Inactive (not seen at all)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
	"""One successful identification, as a terminal recorded it."""

	device_user_id: str
	wall_time: datetime
	"""What the terminal's display showed: naive, whole seconds. Not the true time while its clock is
	wrong."""
	verify_mode: VerifyMode
	device_key: DeviceKey


class _Shift(NamedTuple):
	name: str
	start: int
	"""Seconds after midnight."""
	length: int
	"""Seconds; may run past midnight."""


class _Habit(NamedTuple):
	"""What one worker does every day."""

	shift: _Shift
	weekly_off: int
	"""Monday is 0, as in `date.weekday`."""
	breaks: int
	"""How many breaks a day they punch: 0, 1 or 2."""
	verify_mode: VerifyMode
	home: int
	"""Draws the terminal that is on their way."""


class _Pass(NamedTuple):
	"""One identification before it is known which terminal takes it."""

	second: int
	"""True time, in seconds after midnight of the first day."""
	device_user_id: str
	verify_mode: VerifyMode
	right_key: DeviceKey
	place: int
	"""Draws the terminal: modulo their number."""
	chance: int
	"""Draws what is done with the key, 0 to 99."""


_DAY_SHIFT = _Shift("Day Shift", 8 * HOUR, 9 * HOUR)
_LATE_SHIFT = _Shift("Late Shift", 14 * HOUR, 8 * HOUR + 30 * MINUTE)
_NIGHT_SHIFT = _Shift("Night Shift", 22 * HOUR, 8 * HOUR)

_SHIFTS: Weighted[_Shift] = ((_DAY_SHIFT, 60), (_LATE_SHIFT, 22), (_NIGHT_SHIFT, 18))
_BREAKS: Weighted[int] = ((0, 20), (1, 45), (2, 35))
_WEEKLY_OFF: Weighted[int] = ((6, 70), (4, 20), (2, 10))
_VERIFY_MODES: Weighted[VerifyMode] = (
	(VerifyMode.FACE, 56),
	(VerifyMode.FINGER, 24),
	(VerifyMode.CARD, 10),
	(VerifyMode.PASSWORD, 3),
	(VerifyMode.MULTIPLE, 3),
	(VerifyMode.PALM, 2),
	(VerifyMode.QR, 2),
)

_DEPARTMENTS: tuple[tuple[str, tuple[str, ...]], ...] = (
	("Production", ("Machine Operator", "Shift Supervisor", "Technician")),
	("Assembly", ("Assembler", "Line Leader")),
	("Packing", ("Packer", "Forklift Driver")),
	("Warehouse", ("Storekeeper", "Forklift Driver")),
	("Quality", ("Inspector", "Laboratory Assistant")),
	("Maintenance", ("Electrician", "Mechanic")),
	("Office", ("Accountant", "Purchaser", "HR Officer")),
)
_BRANCHES = ("Main Plant", "North Plant")

# Two given names make a full name, so that nobody in particular is meant.
_GIVEN_NAMES: tuple[tuple[str, ...], ...] = (
	("Ana", "Daniel", "Elena", "Grace", "Ivan", "Joseph", "Karim", "Lina", "Marie", "Noor", "Peter", "Rosa"),
	("أمين", "خالد", "زينب", "سلمى", "عمر", "فاطمة", "ليلى", "محمد", "مريم", "يوسف"),
	("伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "洋", "艳"),
	("अनीता", "अमित", "आशा", "गीता", "मीना", "मोहन", "रवि", "राजेश", "सुनील", "सीता"),
)
_SCRIPTS: Weighted[tuple[str, ...]] = (
	(_GIVEN_NAMES[0], 50),
	(_GIVEN_NAMES[1], 20),
	(_GIVEN_NAMES[2], 10),
	(_GIVEN_NAMES[3], 20),
)

_WRONG_KEY = {
	DeviceKey.CHECK_IN: DeviceKey.CHECK_OUT,
	DeviceKey.CHECK_OUT: DeviceKey.CHECK_IN,
	DeviceKey.BREAK_IN: DeviceKey.BREAK_OUT,
	DeviceKey.BREAK_OUT: DeviceKey.CHECK_OUT,
	DeviceKey.OVERTIME_IN: DeviceKey.OVERTIME_OUT,
	DeviceKey.OVERTIME_OUT: DeviceKey.OVERTIME_IN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Workforce:
	"""The factory's people and what its terminals recorded of them."""

	workers: tuple[Worker, ...]
	first_day: date
	days: int
	_passes: tuple[_Pass, ...] = field(repr=False)

	def at_terminal(self, number: int, of: int) -> tuple[Identification, ...]:
		"""What terminal `number` (counted from 1) of `of` terminals recorded, in the order of recording.

		Every identification is on exactly one of the terminals. People press attendance keys on the
		terminals with even numbers and hardly ever on the others; the first terminal holds the record from
		2099, and the last one is the one with the power cut.

		:raises ValueError: there is no such terminal.
		"""
		if not 1 <= number <= of:
			raise ValueError(f"terminal {number} of {of}: they are counted from 1")
		passes = [each for each in self._passes if each.place % of == number - 1]
		stray = len(passes) * 3 // 5 if number == 1 else None
		seen: set[tuple[str, datetime]] = set()
		recorded: list[Identification] = []
		for position, each in enumerate(passes):
			wall_time = self._wall_time(each.second, had_power_cut=number == of)
			if position == stray:
				# 2099 has no 29 February.
				wall_time = wall_time.replace(year=STRAY_YEAR, day=min(wall_time.day, 28))
			if (each.device_user_id, wall_time) in seen:
				continue
			seen.add((each.device_user_id, wall_time))
			recorded.append(
				Identification(
					device_user_id=each.device_user_id,
					wall_time=wall_time,
					verify_mode=each.verify_mode,
					device_key=_pressed_key(each, people_press_keys=number % 2 == 0),
				)
			)
		return tuple(recorded)

	def _wall_time(self, second: int, *, had_power_cut: bool) -> datetime:
		power_cut = self.days * 2 // 5 * DAY + POWER_CUT_AT
		if had_power_cut and power_cut <= second < power_cut + POWER_CUT_LASTS:
			return CLOCK_AFTER_POWER_CUT + timedelta(seconds=second - power_cut)
		return datetime.combine(self.first_day, time()) + timedelta(seconds=second)


def build(people: int, days: int, seed: int, last_day: date) -> Workforce:
	"""Make the factory.

	:param people: how many workers.
	:param days: the length of the period, which ends with the whole of `last_day`.
	:raises ValueError: `people` or `days` is less than 1, or there are too many people.
	"""
	if not 1 <= people <= MAX_PEOPLE or days < 1:
		raise ValueError(f"a factory needs one to {MAX_PEOPLE} workers and at least one day")
	# Only random(), randrange() and choice() are used below: they draw the same in every Python version.
	random = Random(seed)  # noqa: S311  # nothing here is a secret
	first_day = last_day - timedelta(days=days - 1)
	workers: list[Worker] = []
	passes: list[_Pass] = []
	for number in range(people):
		habit = _habit(random)
		worker = _worker(random, number, habit.shift.name)
		workers.append(worker)
		passes += _passes_of(random, worker, habit, first_day, days)
	passes += _visitors(random, days)
	within = (each for each in passes if 0 <= each.second < days * DAY)
	in_order = tuple(sorted(within, key=lambda each: each.second))
	return Workforce(workers=tuple(workers), first_day=first_day, days=days, _passes=in_order)


def _draw(random: Random, weighted: Weighted[T]) -> T:
	chance = random.randrange(100)
	for value, weight in weighted:
		if chance < weight:
			return value
		chance -= weight
	return weighted[-1][0]


def _habit(random: Random) -> _Habit:
	return _Habit(
		shift=_draw(random, _SHIFTS),
		weekly_off=_draw(random, _WEEKLY_OFF),
		breaks=_draw(random, _BREAKS),
		verify_mode=_draw(random, _VERIFY_MODES),
		home=random.randrange(1 << 16),
	)


def _worker(random: Random, number: int, shift: str) -> Worker:
	department, designations = _DEPARTMENTS[random.randrange(len(_DEPARTMENTS))]
	names = _draw(random, _SCRIPTS)
	return Worker(
		employee=f"HR-EMP-{number + 1:05d}",
		device_user_id=_device_user_id(number),
		full_name=_full_name(random, names),
		card=10_000_000 + 7919 * number,
		department=department,
		designation=random.choice(designations),
		company=COMPANY,
		branch=random.choice(_BRANCHES),
		shift=shift,
		status={11: "Left", 18: "Inactive"}.get(number % 25, "Active"),
	)


def _full_name(random: Random, names: tuple[str, ...]) -> str:
	first = random.randrange(len(names))
	second = (first + random.randrange(1, len(names))) % len(names)
	return f"{names[first]} {names[second]}"


def _device_user_id(number: int) -> str:
	"""Digits only (ZKTeco terminals take nothing else); no two numbers give the same text."""
	if number < 2:
		return ("7", "007")[number]
	return f"{1000 + number:07d}" if number % 10 == 2 else str(1000 + number)


def _passes_of(random: Random, worker: Worker, habit: _Habit, first_day: date, days: int) -> Iterator[_Pass]:
	if worker.status == "Inactive":
		return
	last = days // 2 if worker.status == "Left" else days
	# The night shift that began on the eve of the first day still has its OUT to make.
	for day in range(-1, last):
		absent = random.randrange(100) < 4
		if absent or (first_day.weekday() + day) % 7 == habit.weekly_off:
			continue
		for second, key in _working_day(random, habit):
			yield from _at_the_terminal(random, worker.device_user_id, habit, day * DAY + second, key)


def _working_day(random: Random, habit: _Habit) -> Iterator[tuple[int, DeviceKey]]:
	"""(seconds after midnight of the day on which the shift begins, the right key)."""
	shift = habit.shift
	is_late = random.randrange(100) < 5
	after_start = (
		random.randrange(5 * MINUTE, 70 * MINUTE) if is_late else random.randrange(-20 * MINUTE, 5 * MINUTE)
	)
	yield shift.start + after_start, DeviceKey.CHECK_IN
	if habit.breaks == 2:
		yield from _break(random, shift.start + 2 * HOUR, 10 * MINUTE, 18 * MINUTE)
	if habit.breaks:
		yield from _break(random, shift.start + 4 * HOUR, 25 * MINUTE, 40 * MINUTE)
	how_it_ends = random.randrange(100)
	end = shift.start + shift.length
	if how_it_ends < 4:
		yield end + random.randrange(HOUR, 3 * HOUR), DeviceKey.OVERTIME_OUT
	elif how_it_ends >= 7:  # the others forget their OUT
		yield end + random.randrange(-3 * MINUTE, 25 * MINUTE), DeviceKey.CHECK_OUT


def _break(random: Random, about: int, shortest: int, longest: int) -> Iterator[tuple[int, DeviceKey]]:
	begins = about + random.randrange(-15 * MINUTE, 15 * MINUTE)
	yield begins, DeviceKey.BREAK_OUT
	yield begins + random.randrange(shortest, longest), DeviceKey.BREAK_IN


def _at_the_terminal(
	random: Random, device_user_id: str, habit: _Habit, second: int, key: DeviceKey
) -> Iterator[_Pass]:
	elsewhere = random.randrange(100) < 15
	another_way = random.randrange(100) < 5
	once = _Pass(
		second=second,
		device_user_id=device_user_id,
		verify_mode=_draw(random, _VERIFY_MODES) if another_way else habit.verify_mode,
		right_key=key,
		place=random.randrange(1 << 16) if elsewhere else habit.home,
		chance=random.randrange(100),
	)
	yield once
	if random.randrange(100) < 6:
		# Perhaps with another key than before: somebody who corrects themselves.
		yield once._replace(second=second + random.randrange(2, 10), chance=random.randrange(100))


def _visitors(random: Random, days: int) -> Iterator[_Pass]:
	"""Ids that no worker has; "1012" once a fortnight is somebody's "0001012" typed without its zeros."""
	for day in range(days):
		for _ in range(random.randrange(4)):
			device_user_id = "1012" if day % 14 == 3 else str(90001 + random.randrange(12))
			place = random.randrange(1 << 16)
			arrives = day * DAY + random.randrange(8 * HOUR, 15 * HOUR)
			leaves = arrives + random.randrange(20 * MINUTE, 3 * HOUR)
			for second, key in ((arrives, DeviceKey.CHECK_IN), (leaves, DeviceKey.CHECK_OUT)):
				yield _Pass(second, device_user_id, VerifyMode.CARD, key, place, random.randrange(100))


def _pressed_key(each: _Pass, *, people_press_keys: bool) -> DeviceKey:
	if not people_press_keys:
		return each.right_key if each.chance < 5 else DeviceKey.UNDEFINED
	if each.chance < 6:
		return DeviceKey.UNDEFINED
	return _WRONG_KEY[each.right_key] if each.chance < 10 else each.right_key
