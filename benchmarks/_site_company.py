"""People, shifts, terminals and clients of the site benchmarks; imported in the bench's interpreter only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import _site
import frappe
import requests
from frappe.core.doctype.user.user import generate_keys

from attendance_bridge.bench.tests import premises
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER

ZONE = ZoneInfo("Asia/Dubai")

ADD_LOG = "hrms.hr.doctype.employee_checkin.employee_checkin.add_log_based_on_employee_field"
_USERS = "abt-benchmark-"


@contextmanager
def company() -> Iterator[None]:
	"""A connection to the site as Administrator; whatever a benchmark makes there is gone at the end."""
	frappe.init(site=_site.name())
	frappe.connect()
	frappe.set_user("Administrator")
	_clear()
	try:
		yield
	finally:
		frappe.db.rollback()
		_clear()
		frappe.destroy()


def _clear() -> None:
	premises.clear()
	# The rows that `premises` clears leave their secrets.
	frappe.db.delete("__Auth", {"doctype": "Device Configuration", "name": ("like", f"{premises.MARK}%")})
	for user in frappe.get_all("User", filters={"name": ("like", f"{_USERS}%")}, pluck="name"):
		frappe.delete_doc("User", user, force=True, ignore_permissions=True)
	frappe.db.commit()


def hire(people: int, first: date) -> list[str]:
	"""New employees, with ids on terminals as `user_id` says; returns their names.

	A fifth has an assigned shift, the others one by default, and a few have none.

	:param first: the first day that matters.
	"""
	shifts = [
		premises.shift_type("BM day", "08:00:00", "17:00:00"),
		premises.shift_type("BM late", "14:00:00", "22:30:00"),
		premises.shift_type("BM night", "22:00:00", "06:00:00"),
	]
	first_of_all = premises.employee(0, device_user_id=user_id(0))
	hired = [first_of_all]
	for number in range(1, people):
		hired.append(_like(first_of_all, number))
		shift = shifts[shift_of(number)]
		if number % 5 == 1:
			premises.assignment(hired[-1], shift, first)
		elif number % 20:
			frappe.db.set_value("Employee", hired[-1], "default_shift", shift, update_modified=False)
	frappe.db.commit()
	return hired


def _like(employee: str, number: int) -> str:
	"""Another employee, written as a row: ERPNext empties all caches with each that is inserted."""
	document = frappe.get_doc("Employee", employee)
	document.name = f"{employee}-{number}"
	document.first_name = document.employee_name = f"Worker {number:03d}"
	document.employee_number = f"{premises.MARK}-{number:05d}"
	document.attendance_device_id = user_id(number)
	document.db_insert()
	return document.name


def user_id(number: int) -> str:
	"""The id of a person on the terminals: digits only, as ZKTeco takes nothing else."""
	return str(7_310_000 + number)


def shift_of(number: int) -> int:
	"""0 day, 1 late, 2 night: about 60, 20 and 20 of a hundred people."""
	return (0, 0, 0, 1, 2)[number // 7 % 5]


def terminal(number: int, driver: str, port: int) -> str:
	"""A Device Configuration for a simulated terminal; returns its name."""
	document = frappe.get_doc(
		{
			"doctype": "Device Configuration",
			"device_name": f"{premises.MARK} Terminal {number}",
			"driver": driver,
			"device_ip": "127.0.0.1",
			"port": port,
			"time_zone": ZONE.key,
		}
	)
	if driver == "hikvision_isapi":
		document.update({"device_user": USER, "device_user_password": PASSWORD})
	return document.insert().name


def user(number: int, *roles: str) -> tuple[str, str]:
	"""A new user; returns the name, and the value of the Authorization header of their requests."""
	document = frappe.get_doc(
		{
			"doctype": "User",
			"email": f"{_USERS}{number}@example.com",
			"first_name": f"Benchmark {number}",
			"send_welcome_email": 0,
			"roles": [{"role": role} for role in roles],
		}
	).insert(ignore_permissions=True)
	secret = generate_keys(document.name)["api_secret"]
	key = frappe.db.get_value("User", document.name, "api_key")
	frappe.db.commit()
	return document.name, f"token {key}:{secret}"


def client(token: str) -> requests.Session:
	"""Requests to the site over one kept connection."""
	session = requests.Session()
	session.headers.update({"Authorization": token, "Host": _site.name()})
	return session


def add_log(session: requests.Session, address: str, device_user_id: str, values: dict[str, Any]) -> None:
	"""One post of the rival: one check-in.

	:raises SystemExit: the site refused it.
	"""
	body = {"employee_field_value": device_user_id, "employee_fieldname": "attendance_device_id", **values}
	answer = session.post(f"{address}/api/method/{ADD_LOG}", json=body, timeout=120)
	if answer.status_code != 200:
		raise SystemExit(f"the rival's post was refused: {answer.status_code} {answer.text[:500]}")
