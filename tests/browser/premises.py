"""What a run of browser tests has on its site: a terminal that is played here, and people at it.

Punches are never deleted, so each run has ids, names and a serial number of its own.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from attendance_bridge.simulators.hikvision import HikvisionState, HikvisionTerminal, verbs
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER
from attendance_bridge.simulators.workforce import Worker, build
from tests.browser.site import Site

ZONE = ZoneInfo("Asia/Dubai")
PEOPLE, DAYS, SEED = 14, 12, 11
UNMAPPED = 2
"""So many of the people are no employees yet."""
HOSTILE = "<img src=x onerror=\"window.injected='name'\">"
"""As a name or an id on a terminal: markup that must never become any."""
PASSWORD_OF_USERS = "Br0wser-Test-Passw0rd"

ROLES = {
	"system": ["System Manager"],
	"manager": ["HR Manager"],
	"user": ["HR User"],
	"nobody": ["Sales User"],
}


@dataclass
class Premises:
	"""The site of one run."""

	site: Site
	mark: str = field(default_factory=lambda: secrets.token_hex(3))

	def __post_init__(self) -> None:
		self.device = f"Front Door {self.mark}"
		self.prefix = f"{self.mark}-"
		yesterday = datetime.now(ZONE).date() - timedelta(days=1)
		self.workforce = build(PEOPLE, DAYS, SEED, yesterday)
		self.state = HikvisionState.from_workforce(
			self.workforce, number=1, of=1, serial=f"BROWSER-{self.mark}".upper()
		)
		self.terminal = HikvisionTerminal(self.state)
		self.terminal.start()
		for worker in self.workforce.workers[-UNMAPPED:]:
			verbs.enroll(self.state, worker.device_user_id, self.name_of(worker))
		self.shift = self.site.insert(
			"Shift Type",
			__newname=f"Day {self.mark}",
			start_time="08:00:00",
			end_time="17:00:00",
			enable_auto_attendance=1,
			process_attendance_after="2026-01-01",
			last_sync_of_checkin="2026-01-01 00:00:00",
		)
		self.site.insert(
			"Device Configuration",
			device_name=self.device,
			driver="hikvision_isapi",
			device_ip="127.0.0.1",
			port=self.terminal.port,
			device_user=USER,
			device_user_password=PASSWORD,
			time_zone=ZONE.key,
			poll_interval=1440,
			user_id_prefix=self.prefix,
			enabled=1,
			shifts=[{"shift_type": self.shift}],
		)
		for worker in self.workforce.workers[:-UNMAPPED]:
			self.employee(worker.full_name, attendance_device_id=self.prefix + worker.device_user_id)
		self.users = {who: self._user(who, roles) for who, roles in ROLES.items()}

	def close(self) -> None:
		self.site.update("Device Configuration", self.device, enabled=0)
		self.terminal.stop()
		self.site.close()

	def name_of(self, worker: Worker) -> str:
		"""What stands on the terminal of somebody who is no employee yet; nobody of another run has it."""
		return f"{worker.full_name} {self.mark}"

	def employee(self, name: str, **values: object) -> str:
		first_name, _space, last_name = name.partition(" ")
		return self.site.insert(
			"Employee",
			first_name=first_name,
			last_name=last_name,
			company=self.site.first("Company"),
			gender="Other",
			date_of_birth="1990-01-01",
			date_of_joining="2020-01-01",
			status="Active",
			**values,
		)

	def punch(self, device_user_id: str, name: str = "", *, at: datetime | None = None) -> None:
		"""Somebody identifies at the terminal, now or when its clock says `at`."""
		if name:
			verbs.enroll(self.state, device_user_id, name)
		verbs.punch(self.state, device_user_id, at=at)

	def punches_of(self, device_user_id: str) -> list[dict[str, object]]:
		"""What the site holds of one id of the terminal."""
		filters = {"device": self.device, "device_user_id": device_user_id}
		return self.site.rows("Punch Log", filters, ["name", "status", "status_reason", "employee_checkin"])

	def _user(self, who: str, roles: list[str]) -> str:
		return self.site.insert(
			"User",
			email=f"{who}-{self.mark}@example.com",
			first_name=f"{who.title()} {self.mark}",
			send_welcome_email=0,
			new_password=PASSWORD_OF_USERS,
			roles=[{"role": role} for role in roles],
		)
