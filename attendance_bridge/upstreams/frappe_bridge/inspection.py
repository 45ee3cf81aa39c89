"""Whether the site would take punches from us. Delivers none."""

from __future__ import annotations

from collections.abc import Mapping

from attendance_bridge.core.errors import Code
from attendance_bridge.upstreams._frappe.answers import RefusedError, read_message
from attendance_bridge.upstreams._frappe.client import Client
from attendance_bridge.upstreams.frappe_bridge import punches
from attendance_bridge.upstreams.frappe_bridge.sender import INGEST

APP_MISSING = "app_missing"
"""The site does not know the method: the app is not installed there, or is too old."""
NOT_AN_AGENT = "not_an_agent"
"""The user of the token is not the user of an enabled Edge Agent."""

_APPS = ("attendance_bridge", "frappe", "hrms")


def find_user(client: Client) -> str:
	"""The user that the token stands for.

	:raises UpstreamError: nobody answers, or not to us.
	"""
	user = read_message(client.get("/api/method/frappe.auth.get_logged_user", {}))
	return user if isinstance(user, str) else ""


def find_versions(client: Client) -> dict[str, str]:
	"""App → version, of those that matter; empty if the site does not tell."""
	try:
		apps = read_message(client.get("/api/method/frappe.utils.change_log.get_versions", {}))
	except RefusedError:
		return {}
	found = apps if isinstance(apps, Mapping) else {}
	described = ((app, found.get(app)) for app in _APPS)
	return {app: str(each.get("version", ""))[:40] for app, each in described if isinstance(each, Mapping)}


def find_problem(client: Client) -> str | None:
	"""What keeps the site from taking punches; None if nothing does.

	:raises UpstreamError: the site stopped answering.
	"""
	try:
		read_message(client.post(INGEST, punches.body((), ())))
	except RefusedError as refusal:
		if refusal.code is Code.FORBIDDEN:
			return NOT_AN_AGENT
		if refusal.code is Code.NOT_FOUND or refusal.details.get("status") == 417:
			return APP_MISSING
		raise
	return None
