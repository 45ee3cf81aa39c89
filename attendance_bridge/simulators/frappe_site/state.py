"""What the site is and holds: settings, users' rights, employees, check-ins, and the faults it plays."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from attendance_bridge.simulators.frappe_site.doctypes import DocType
from attendance_bridge.simulators.frappe_site.records import (
	CheckIn,
	CheckInTable,
	Employee,
	EmployeeTable,
	held,
)
from attendance_bridge.simulators.workforce import Workforce

FAULTS: dict[str, str] = {
	"bad-gateway": "the proxy answers 502 with a page of its own; the request never reached the site",
	"bad-gateway-after": "the site processes the request, then the proxy answers 502",
	"deadlock": "v16 on MariaDB 11.8: a post fails with 500 QueryDeadlockError although nothing is wrong",
	"geolocation": "lasting: HR Settings demands coordinates, so a check-in without them is refused with 417",
	"html": "200 with the page of a login portal; the request never reached the site",
	"maintenance": "503 SessionStopped, as during an update",
	"no-permission": "lasting: the user has lost every role",
	"rate-limit": "429 with Retry-After; not processed",
	"reset-after": "the site processes the request, then the connection is reset without an answer",
	"reset-before": "the connection is reset; the request never reached the site",
	"slow": "the site processes the request at once and answers after `slow_seconds`",
	"token-expired": "lasting: 401 to every request with credentials",
	"translated": "lasting: all message texts are in another language",
}

LASTING = frozenset({"geolocation", "no-permission", "token-expired", "translated"})
"""Faults that are a condition of the site and hold for every request while they are set. The others strike
every `fault_every`-th request that they can strike."""

MAX_BODY = 25 * 1024 * 1024
"""frappe's `max_file_size` when the site configuration does not say otherwise."""


@dataclass(kw_only=True)
class SiteState:
	"""One site. Everything may be changed while it runs."""

	time_zone: str = "UTC"
	"""System Settings: the zone of every naive time on the site."""
	host_name: str = ""
	"""The name of the site on a bench with several: another Host header finds no site. Empty: any."""
	user: str = "attendance@example.com"
	api_key: str = "0123456789abcde"
	api_secret: str = field(default="edcba9876543210", repr=False)
	other_keys: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)
	"""API key of somebody else → their secret, and who they are."""
	roles: set[str] = field(default_factory=lambda: {"HR User", "System Manager"})
	user_time_zone: str = ""
	"""Of the user's profile; empty: the site's, as when the user was created."""
	user_permissions: set[str] = field(default_factory=set)
	"""User Permission: the user may see only these Employees and what is linked to them. Empty: all."""
	versions: dict[str, str] = field(
		default_factory=lambda: {"frappe": "15.72.4", "erpnext": "15.71.1", "hrms": "15.47.8"}
	)
	strict: bool = False
	"""Check and insert as one act. A real site does not: two clients that post the same punch at the same
	moment both pass the check, and both are accepted, unless both give it the same name."""
	service_seconds: float = 0.0
	"""How long a post occupies a worker, all of it between its check and its insert; ~0.02 on a real site."""
	workers: int = 2
	"""How many posts are in work at a time when `service_seconds` is set; read when the site starts."""
	max_body: int = MAX_BODY
	faults: set[str] = field(default_factory=set)
	fault_every: int = 3
	"""1: every request. N: the N-th, the 2N-th … of those that the fault can strike; counted per fault."""
	fault_limit: int | None = None
	"""At most so many strikes per fault; with `fault_every=1`, the first so many requests."""
	retry_after: int = 1
	"""Seconds that a rate limit asks to wait."""
	slow_seconds: float = 10.0
	employees: EmployeeTable = field(default_factory=EmployeeTable, repr=False)
	table: CheckInTable = field(default_factory=CheckInTable, repr=False)
	counters: Counter[str] = field(default_factory=Counter)
	"""requests, posts, accepted (check-ins inserted), and fault:<name> for strikes."""
	lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
	"""Held for the look-up of a check and for an insert, each by itself."""
	strict_lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
	"""Held from check to insert when `strict` is set."""

	@classmethod
	def from_workforce(cls, workforce: Workforce, **settings: Any) -> SiteState:
		"""A site whose employees are the people of `workforce`; `settings` are fields of this class."""
		state = cls(**settings)
		hired_at = datetime.combine(workforce.first_day, datetime.min.time())
		for worker in workforce.workers:
			state.employees.add(
				Employee(
					name=worker.employee,
					employee_name=worker.full_name,
					attendance_device_id=worker.device_user_id or None,
					status=worker.status,
					company=worker.company,
					department=worker.department,
					designation=worker.designation,
					branch=worker.branch,
					default_shift=worker.shift,
					creation=hired_at,
					modified=hired_at,
				)
			)
		return state

	@property
	def checkins(self) -> list[dict[str, object]]:
		"""Every Employee Checkin in the order of insertion, its columns as Python values."""
		return [held(row) for row in self.table]

	def duplicates(self) -> list[tuple[str, datetime]]:
		"""(employee, time) pairs held more than once, whatever their log types: there should be none."""
		with self.lock:
			return self.table.held_more_than_once()

	def insert(self, rows: Sequence[CheckIn]) -> None:
		"""Hold checked rows, all in one transaction.

		:raises NameTakenError: a row brings a name that is taken; none is held.
		"""
		with self.lock:
			self.table.add(rows)
			self.counters["accepted"] += len(rows)

	def permits(self, user: str, doctype: DocType, right: str = "read") -> bool:
		"""Whether `user` has this right to documents of this type at all."""
		return user == self.user and "no-permission" not in self.faults and doctype.allows(self.roles, right)

	def shows(self, employee: str) -> bool:
		"""Whether User Permissions leave an Employee, and what is linked to it, in the user's sight."""
		return not self.user_permissions or employee in self.user_permissions

	@property
	def zone(self) -> ZoneInfo:
		return ZoneInfo(self.time_zone)

	def now(self) -> datetime:
		"""The present moment on the site's wall: naive, in `time_zone`."""
		return datetime.now(self.zone).replace(tzinfo=None)

	def count(self, what: str) -> int:
		"""Add one to a counter and return it."""
		with self.lock:
			self.counters[what] += 1
			return self.counters[what]

	def strikes(self, fault: str) -> bool:
		"""Whether the active `fault` strikes this request, which it could strike."""
		if self.count(f"seen:{fault}") % self.fault_every:
			return False
		with self.lock:
			if self.fault_limit is not None and self.counters[f"fault:{fault}"] >= self.fault_limit:
				return False
			self.counters[f"fault:{fault}"] += 1
		return True
