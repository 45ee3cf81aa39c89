"""A real ERPNext/HRMS site as a test talks to it: by plain requests, past the upstream under test."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

import requests

URL, KEY, SECRET, ZONE = (
	os.environ.get(f"ATTENDANCE_BRIDGE_SITE_{name}", "") for name in ("URL", "KEY", "SECRET", "TIMEZONE")
)
IS_NAMED = bool(URL and KEY and SECRET and ZONE)
NONE_NAMED = "no real site: set ATTENDANCE_BRIDGE_SITE_URL, _KEY, _SECRET and _TIMEZONE"

CHECKIN, EMPLOYEE = "/api/resource/Employee Checkin", "/api/resource/Employee"


class Site:
	"""The site by plain requests: a second opinion on what the upstream says."""

	def __init__(self) -> None:
		self.session = requests.Session()
		self.session.headers["Authorization"] = f"token {KEY}:{SECRET}"

	def request(self, method: str, path: str, **more: Any) -> Any:
		answer = self.session.request(method, URL.rstrip("/") + quote(path), timeout=60, **more)
		assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
		return answer.json().get("data")

	def rows(self, path: str, fields: Sequence[str], order: str, filters: Sequence[Any] = ()) -> Any:
		query = {
			"fields": json.dumps(fields),
			"filters": json.dumps(filters),
			"order_by": order,
			"limit_page_length": "0",
		}
		return self.request("GET", path, params=query)

	def hire(self, first_name: str, device_id: str, status: str = "Active") -> str:
		"""Create an Employee of the site's default company and return its name."""
		document = {
			"first_name": first_name,
			"attendance_device_id": device_id,
			"status": status,
			"gender": "Other",
			"date_of_birth": "1990-01-01",
			"date_of_joining": "2020-01-01",
		}
		return str(self.request("POST", EMPLOYEE, json=document)["name"])

	def remove_checkins(self, employees: Sequence[str]) -> None:
		for row in self.rows(CHECKIN, ["name"], "name asc", [["employee", "in", employees]]):
			self.request("DELETE", f"{CHECKIN}/{row['name']}")


class Workplace:
	"""Employees of our own on the site."""

	def __init__(self, site: Site) -> None:
		self.site = site
		self.prefix = f"ab-{uuid.uuid4().hex[:8]}"
		self.active: list[str] = []
		self.inactive = ""

	@property
	def everybody(self) -> list[str]:
		return [*self.active, *filter(None, [self.inactive])]

	def open(self) -> None:
		for number in range(1, 7):
			self.active.append(self.site.hire(f"{self.prefix} {number}", f"{self.prefix}-{number:03}"))
		self.inactive = self.site.hire(f"{self.prefix} out", f"{self.prefix}-OUT", "Inactive")

	def close(self) -> None:
		if not self.everybody:
			return
		self.site.remove_checkins(self.everybody)
		for employee in self.everybody:
			self.site.request("DELETE", f"{EMPLOYEE}/{employee}")
