"""The rig of the contract for a stock site: `LittleSite` behind `erpnext_rest`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

from attendance_bridge.core.person import Person
from attendance_bridge.core.redact import Secret
from attendance_bridge.upstreams.erpnext_rest import Upstream
from attendance_bridge.upstreams.erpnext_rest.config import Config
from tests.contracts.upstream_contract import AMBIGUOUS_BUT_KEPT, Fault, Held, RemoteRig
from tests.upstreams.little_site import KEY, SECRET, LittleSite, Reply, page, raised

SITE_ZONE = ZoneInfo("Asia/Dubai")


def config_for(site: LittleSite, **changes: Any) -> Config:
	options: dict[str, Any] = {
		"url": site.url,
		"api_key": Secret(KEY),
		"api_secret": Secret(SECRET),
		"timezone": SITE_ZONE,
		"timeout": 5.0,
	}
	return Config(**{**options, **changes})


def employee_row(name: str, status: str = "Active") -> dict[str, Any]:
	return {
		"name": name,
		"attendance_device_id": name[-5:],
		"employee_name": f"Person {name[-2:]}",
		"status": status,
		"department": "Packing - X",
		"designation": None,
		"company": "X",
		"branch": None,
		"default_shift": "Day",
	}


def scrambled(text: str) -> str:
	"""The same message in a language that nobody here reads."""
	return "".join(chr(0x0E01 + ord(letter) % 46) for letter in text)


class ErpnextRig(RemoteRig):
	def __init__(self) -> None:
		self.site = LittleSite()
		for employee in self.employees:
			self.site.employees[employee] = employee_row(employee)
		self.site.employees[self.employee_refused()] = employee_row(self.employee_refused(), "Inactive")
		self.site.start()
		self._upstreams: list[Upstream] = []
		self._fault: Fault | None = None
		self._times: int | None = None
		self._after = 0
		self.site.on_post = self._disturb_post
		self.site.on_request = self._disturb_request

	def upstream(self, **changes: Any) -> Upstream:
		return self.upstream_with_clock(timer=time.monotonic, sleep=time.sleep, **changes)

	def upstream_with_clock(
		self, *, timer: Callable[[], float], sleep: Callable[[float], None], **changes: Any
	) -> Upstream:
		timeout = 0.4 if self._fault is Fault.SILENT_AFTER else 5.0
		config = config_for(self.site, **{"timeout": timeout, **changes})
		upstream = Upstream(config, timer=timer, sleep=sleep)
		self._upstreams.append(upstream)
		return upstream

	def upstream_with_wrong_secret(self) -> Upstream:
		return self.upstream(api_secret=Secret("another-secret"))

	def stop(self) -> None:
		for upstream in self._upstreams:
			upstream.close()
		self.site.stop()

	def held(self) -> Sequence[Held]:
		return [
			Held(
				employee=row["employee"],
				moment=datetime.fromisoformat(row["time"]).replace(tzinfo=SITE_ZONE).astimezone(timezone.utc),
				log_type=row["log_type"] or "",
				device_serial=row["device_id"],
			)
			for row in self.site.check_ins
		]

	def people(self) -> Sequence[Person]:
		return [
			Person(
				employee=row["name"],
				attendance_device_id=row["attendance_device_id"],
				full_name=row["employee_name"],
				status=row["status"],
				department=row["department"],
				company=row["company"],
				shift=row["default_shift"],
			)
			for row in self.site.employees.values()
		]

	def employee_refused(self) -> str:
		return "HR-EMP-00099"

	def posts(self) -> int:
		return self.site.posts

	def go_down(self) -> None:
		self.site.stop()

	def scramble_texts(self) -> None:
		self.site.text = scrambled

	def secrets(self) -> Sequence[str]:
		return [KEY, SECRET]

	def fail(self, fault: Fault, *, times: int | None = None, after: int = 0) -> None:
		with self.site.lock:
			self._fault, self._times, self._after = fault, times, after

	def work(self) -> None:
		with self.site.lock:
			self._fault = None

	def _disturb_request(self, _method: str, _path: str) -> Reply | None:
		with self.site.lock:
			reply = self._refusal_of_everything()
			return reply if reply and self._is_due() else None

	def _refusal_of_everything(self) -> Reply | None:
		if self._fault is Fault.REFUSES_TOKEN:
			return raised(401, "AuthenticationError", self.site.text("Authentication failed"))
		if self._fault is Fault.OVERLOADED:
			reply = raised(429, "TooManyRequestsError", self.site.text("Too many requests"))
			reply.headers["Retry-After"] = "7"
			return reply
		if self._fault is Fault.MAINTENANCE:
			return raised(503, "SessionStopped", self.site.text("Session stopped"))
		return None

	def _disturb_post(self, site: LittleSite, fields: Mapping[str, Any]) -> Reply | None:
		failures = {
			Fault.BREAKS: raised(500, "AttributeError", site.text("no attribute")),
			Fault.CONFLICT: raised(500, "QueryDeadlockError", site.text("1020 tabSeries")),
			Fault.CUT_BEFORE: Reply(cut=True),
			Fault.CUT_AFTER: Reply(cut=True),
			Fault.GATEWAY_AFTER: page(502),
			Fault.SILENT_AFTER: Reply(hold=True),
			Fault.PORTAL: page(200),
		}
		if self._fault not in failures or not self._is_due():
			return None
		if self._fault in AMBIGUOUS_BUT_KEPT:
			site.add_log(fields)
		return failures[self._fault]

	def _is_due(self) -> bool:
		if self._after > 0:
			self._after -= 1
			return False
		if self._times is None:
			return True
		self._times -= 1
		return self._times >= 0
