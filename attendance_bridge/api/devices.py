"""What the Desk asks about terminals. Each endpoint: permission, then one act."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

import frappe
from frappe.utils import get_system_timezone

from attendance_bridge.bench import (
	contact,
	devices,
	diagnostics,
	driver_options,
	fetch_request,
	listener_setup,
)

DOCTYPE = devices.DOCTYPE


@frappe.whitelist()
def form_context() -> dict[str, Any]:
	"""The drivers that are there with their options, and the time zones, for the form."""
	frappe.has_permission(DOCTYPE, "read", throw=True)
	return {
		"drivers": [driver_options.describe(name) for name in driver_options.names()],
		"time_zones": sorted(available_timezones()),
		"time_zone": get_system_timezone(),
	}


@frappe.whitelist(methods=["POST"])
def test_connection(device: str) -> dict[str, Any]:
	"""Ask a terminal who it is and what time it has."""
	frappe.get_doc(DOCTYPE, device).check_permission("write")
	return contact.look(device)


@frappe.whitelist(methods=["POST"])
def sync_clock(device: str) -> dict[str, Any]:
	"""Set the clock of a terminal to the present moment."""
	frappe.get_doc(DOCTYPE, device).check_permission("write")
	return contact.set_clock(device)


@frappe.whitelist(methods=["POST"])
def download_diagnostics(device: str) -> None:
	"""A redacted recording of a conversation with a terminal, as a file."""
	frappe.get_doc(DOCTYPE, device).check_permission("write")
	diagnostics.download(device)


@frappe.whitelist(methods=["POST"])
def accept_new_terminal(device: str) -> None:
	"""Another terminal hangs in the place of the one that was known: learn it anew."""
	frappe.get_doc(DOCTYPE, device).check_permission("write")
	devices.forget_terminal(device)


@frappe.whitelist(methods=["POST"])
def fetch_checkins(device: str, from_date: str | None = None, to_date: str | None = None) -> dict[str, Any]:
	"""Read a terminal in the background: what is new, or all that it holds from one date to another.

	:param from_date: of the range, both dates included; neither or both.
	"""
	frappe.get_doc(DOCTYPE, device).check_permission("write")
	return fetch_request.queue(device, fetch_request.window(from_date, to_date))


@frappe.whitelist(methods=["POST"])
def set_up_listener(device: str) -> dict[str, Any]:
	"""Have a terminal post its events to this site."""
	frappe.get_doc(DOCTYPE, device).check_permission("write")
	return listener_setup.set_up(device)


@frappe.whitelist(methods=["POST"])
def check_listener(device: str) -> dict[str, Any]:
	"""Look whether a terminal is still told to post here."""
	frappe.get_doc(DOCTYPE, device).check_permission("write")
	return listener_setup.check(device)
