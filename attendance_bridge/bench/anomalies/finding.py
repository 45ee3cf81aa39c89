"""Something found, before it is on record: which day, what kind, which punches tell it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from attendance_bridge.bench.anomalies.words import Said

Key = tuple[str, date, str, str]
"""Employee, date, shift, kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PunchRef:
	"""A punch that a finding is about."""

	time: datetime
	"""Naive, in site time."""
	log_type: str = ""
	device: str | None = None
	employee_checkin: str | None = None
	punch_log: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
	employee: str
	date: date
	shift: str = ""
	"""Empty for what is of a whole day, or of a day without a shift."""
	kind: str
	"""One of the options of the field: see `words`."""
	reason: Said
	"""What tells it."""
	punches: tuple[PunchRef, ...] = ()
	attendance: str | None = None
	until: date | None = None
	"""Of what lasts for days: the last of them."""
	others: str = ""
	"""The names of other people that belong to it."""
	told_by: tuple[str, ...] | None = None
	"""What makes it another finding when it changes; None: its punches."""

	@property
	def key(self) -> Key:
		return self.employee, self.date, self.shift, self.kind

	@property
	def evidence(self) -> str:
		"""The same as long as nothing new tells of it."""
		told_by = self.told_by
		if told_by is None:
			told_by = tuple(sorted(f"{punch.time}|{punch.log_type}" for punch in self.punches))
		return hashlib.sha256("\n".join((self.kind, *told_by)).encode()).hexdigest()


def punch_ref(row: Any) -> PunchRef:
	"""
	:param row: of Punch Log, with name, occurred_at, log_type, device and employee_checkin.
	"""
	return PunchRef(
		time=row.occurred_at,
		log_type=row.log_type or "",
		device=row.device,
		employee_checkin=row.employee_checkin,
		punch_log=row.name,
	)


def first_by_key(findings: Iterable[Finding]) -> dict[Key, Finding]:
	found: dict[Key, Finding] = {}
	for finding in findings:
		found.setdefault(finding.key, finding)
	return found
