"""The rig of the contract for a site with the app: the simulated one behind `frappe_bridge`."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from attendance_bridge.core.person import Person
from attendance_bridge.core.redact import Secret
from attendance_bridge.simulators.frappe_site import Bridge, FrappeSite, RelayedTerminal, SiteState, verbs
from attendance_bridge.simulators.frappe_site.errors import SiteError, error_answer
from attendance_bridge.simulators.frappe_site.service import PassOn
from attendance_bridge.simulators.frappe_site.wire import Answer, Request, html_page
from attendance_bridge.upstreams.frappe_bridge import Upstream
from attendance_bridge.upstreams.frappe_bridge.config import Config
from attendance_bridge.upstreams.frappe_bridge.sender import INGEST
from tests.contracts.upstream_contract import AMBIGUOUS_BUT_KEPT, CERTAIN, Fault, Held, RemoteRig

SITE_ZONE = ZoneInfo("America/New_York")
SERIAL = "DS-K1T-0001"
TERMINAL_PASSWORD = "a-terminals-password-9"


class BridgeRig(RemoteRig):
	def __init__(self) -> None:
		self.state = SiteState(time_zone=SITE_ZONE.key)
		self.bridge = Bridge(site=self.state)
		self.bridge.terminals.append(
			RelayedTerminal(
				name="Main gate",
				driver="hikvision_isapi",
				options={"host": "192.0.2.10", "user": "admin", "password": TERMINAL_PASSWORD},
				time_zone="Asia/Karachi",
				serial=SERIAL,
			)
		)
		for employee in self.employees:
			verbs.hire(self.state, employee, device_id=employee[-3:])
		refused = self.employee_refused()
		verbs.hire(self.state, refused, device_id=refused[-3:], status="Inactive")
		self.site = FrappeSite(self.state, bridge=self.bridge)
		self.site.between = self._disturb
		self.site.start()
		self._lock = threading.Lock()
		self._fault: Fault | None = None
		self._times: int | None = None
		self._after = 0
		self._posts = 0
		self._opened = contextlib.ExitStack()

	def upstream(self, **changes: Any) -> Upstream:
		options: dict[str, Any] = {
			"url": self.site.url,
			"api_key": Secret(self.state.api_key),
			"api_secret": Secret(self.state.api_secret),
			"timeout": 0.4 if self._fault is Fault.SILENT_AFTER else 5.0,
			"page_length": 10,
		}
		return self._opened.enter_context(contextlib.closing(Upstream(Config(**{**options, **changes}))))

	def upstream_in_parts(self, size: int) -> Upstream:
		return self.upstream(punches_at_once=size)

	def upstream_with_wrong_secret(self) -> Upstream:
		return self.upstream(api_secret=Secret("another-secret"))

	def stop(self) -> None:
		self._opened.close()
		self.site.stop()

	def held(self) -> Sequence[Held]:
		return [_held(row) for row in self.state.checkins]

	def people(self) -> Sequence[Person]:
		refused = self.employee_refused()
		return [
			Person(
				employee=employee,
				attendance_device_id=employee[-3:],
				full_name=f"Employee {employee}",
				status="Inactive" if employee == refused else "Active",
			)
			for employee in (*self.employees, refused)
		]

	def employee_refused(self) -> str:
		return "HR-EMP-00099"

	def posts(self) -> int:
		return self._posts

	def go_down(self) -> None:
		self.site.stop()

	def scramble_texts(self) -> None:
		self.state.faults.add("translated")

	def secrets(self) -> Sequence[str]:
		return [self.state.api_key, self.state.api_secret]

	def fail(self, fault: Fault, *, times: int | None = None, after: int = 0) -> None:
		with self._lock:
			self._fault, self._times, self._after = fault, times, after

	def work(self) -> None:
		with self._lock:
			self._fault = None

	def _disturb(self, request: Request, pass_on: PassOn) -> Answer | None:
		with self._lock:
			self._posts += request.path == INGEST
			fault = self._fault if self._strikes(request) else None
		if fault is None:
			return pass_on(request)
		if fault in AMBIGUOUS_BUT_KEPT:
			pass_on(request)
		if fault is Fault.SILENT_AFTER:
			time.sleep(0.6)
		return self._answer(fault)

	def _answer(self, fault: Fault) -> Answer | None:
		if fault is Fault.OVERLOADED:
			refusal = self._raised(429, "TooManyRequestsError")
			return replace(refusal, headers=(("Retry-After", "7"),))
		answers: dict[Fault, Answer] = {
			Fault.REFUSES_TOKEN: self._raised(401, "AuthenticationError"),
			Fault.MAINTENANCE: self._raised(503, "SessionStopped"),
			Fault.BREAKS: self._raised(500, "AttributeError"),
			Fault.CONFLICT: self._raised(503, "QueryDeadlockError"),
			Fault.GATEWAY_AFTER: html_page(502),
			Fault.PORTAL: html_page(200, "Please sign in"),
		}
		return answers.get(fault)

	def _raised(self, status: int, exc_type: str) -> Answer:
		error = SiteError(status, exc_type, "Session Stopped")
		return error_answer(error, as_json=True, translated="translated" in self.state.faults)

	def _strikes(self, request: Request) -> bool:
		if self._fault is None or (self._fault not in CERTAIN and request.path != INGEST):
			return False
		if self._after > 0:
			self._after -= 1
			return False
		if self._times is None:
			return True
		self._times -= 1
		return self._times >= 0


def _held(row: dict[str, object]) -> Held:
	time_there = row["time"]
	assert isinstance(time_there, datetime)
	return Held(
		employee=str(row["employee"]),
		moment=time_there.replace(tzinfo=SITE_ZONE).astimezone(timezone.utc),
		log_type=str(row["log_type"] or ""),
		device_serial=str(row["device_id"] or ""),
	)
