"""Whether check-ins could be delivered: rights, HRMS, time zone. Delivers none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from attendance_bridge.core.errors import Code
from attendance_bridge.upstreams._frappe.answers import RefusedError
from attendance_bridge.upstreams._frappe.client import Client
from attendance_bridge.upstreams.erpnext_rest import site

HRMS_MISSING = "hrms_missing"
EMPLOYEES_UNREADABLE = "employees_unreadable"
DEVICE_IDS_UNREADABLE = "device_ids_unreadable"
CHECK_INS_UNREADABLE = "check_ins_unreadable"
"""A refused or doubtful check-in cannot be looked up."""
CHECK_INS_NOT_ALLOWED = "check_ins_not_allowed"
TIME_ZONE_DIFFERS = "time_zone_differs"
"""Every check-in would arrive at a wrong hour."""
GEOLOCATION_REQUIRED = "geolocation_required"
"""HR Settings has geolocation tracking on: HRMS refuses every check-in without a position."""

_ZONE_ON_A_PAGE = re.compile(rb'"time_zone":\s*\{\s*"system":\s*"([A-Za-z0-9_+/\\-]{1,64})"')


def find_user(client: Client) -> str:
	"""The user that the token stands for.

	:raises UpstreamError: nobody answers, or not to us.
	"""
	user = site.call(client, "frappe.auth.get_logged_user")
	return user if isinstance(user, str) else ""


def find_versions(client: Client) -> dict[str, str]:
	"""App → version, of the three that matter; empty if the site does not tell."""
	apps = _ask(client, "frappe.utils.change_log.get_versions")
	if not isinstance(apps, Mapping):
		return {}
	versions: dict[str, str] = {}
	for app in ("frappe", "erpnext", "hrms"):
		described = apps.get(app)
		if isinstance(described, Mapping):
			versions[app] = str(described.get("version", ""))[:40]
	return versions


def find_problems(client: Client, zone: ZoneInfo, versions: Mapping[str, str]) -> Iterator[str]:
	"""What would keep check-ins from arriving. What the site does not tell is taken to be right.

	:raises UpstreamError: the site stopped answering.
	"""
	yield from _problems_of_employees(client)
	if versions and "hrms" not in versions:
		yield HRMS_MISSING
	else:
		yield from _problems_of_check_ins(client)
	if _zone_differs(client, zone):
		yield TIME_ZONE_DIFFERS


def _problems_of_employees(client: Client) -> Iterator[str]:
	try:
		rows = site.list_rows(client, "Employee", ("name", "attendance_device_id"), length=1)
	except RefusedError:
		yield EMPLOYEES_UNREADABLE
		return
	if rows and "attendance_device_id" not in rows[0]:
		yield DEVICE_IDS_UNREADABLE


def _problems_of_check_ins(client: Client) -> Iterator[str]:
	try:
		site.list_rows(client, "Employee Checkin", ("name",), length=1)
	except RefusedError as refusal:
		# A DocType that is not there is "not found"; one that we may not see is "forbidden".
		yield HRMS_MISSING if refusal.code is Code.NOT_FOUND else CHECK_INS_UNREADABLE
	allowed = _ask(
		client, "frappe.client.has_permission", doctype="Employee Checkin", docname="", perm_type="create"
	)
	if isinstance(allowed, Mapping) and not allowed.get("has_permission"):
		yield CHECK_INS_NOT_ALLOWED
	tracking = _ask(
		client, "frappe.client.get_single_value", doctype="HR Settings", field="allow_geolocation_tracking"
	)
	if tracking in (1, "1"):
		yield GEOLOCATION_REQUIRED


def find_zone(client: Client) -> str:
	"""The name of the site's time zone; empty if it does not tell.

	:raises UpstreamError: the site stopped answering.
	"""
	return _zone_in_settings(client) or _zone_on_a_page(client) or _zone_of_the_user(client)


def _zone_differs(client: Client, zone: ZoneInfo) -> bool:
	name = find_zone(client)
	if not name:
		return False
	try:
		return not _same_hours(ZoneInfo(name), zone)
	except (ValueError, OSError, LookupError):
		return name != zone.key


def _zone_in_settings(client: Client) -> str:
	"""Only a System Manager may read it there."""
	name = _ask(client, "frappe.client.get_single_value", doctype="System Settings", field="time_zone")
	return name if isinstance(name, str) else ""


def _zone_on_a_page(client: Client) -> str:
	"""Every page of the site carries it for its scripts, as `frappe.boot.time_zone.system`."""
	found = _ZONE_ON_A_PAGE.search(client.get("/me", {}).body)
	return found[1].decode("ascii").replace("\\/", "/") if found else ""


def _zone_of_the_user(client: Client) -> str:
	"""What the method's name does not say: this zone stands in the profile of the user who asks.

	It was the site's when the user was created, and may have been changed here or there since.
	"""
	answer = _ask(client, "frappe.client.get_time_zone")
	name = answer.get("time_zone") if isinstance(answer, Mapping) else None
	return name if isinstance(name, str) else ""


def _same_hours(one: ZoneInfo, other: ZoneInfo) -> bool:
	"""Whether two zones show the same hours: one zone has several names (Asia/Calcutta, Asia/Kolkata)."""
	noons = (datetime(2025, 1, 1, 12, tzinfo=timezone.utc) + timedelta(days=day) for day in range(3 * 365))
	return all(noon.astimezone(one).utcoffset() == noon.astimezone(other).utcoffset() for noon in noons)


def _ask(client: Client, method: str, **arguments: str) -> object:
	try:
		return site.call(client, method, **arguments)
	except RefusedError:
		return None
