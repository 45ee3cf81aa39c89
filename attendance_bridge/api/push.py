"""What the Desk asks about terminals that push by themselves. Each endpoint: permission, then one act."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.utils import cint

from attendance_bridge.bench import devices, pairing, push_address, push_commands, push_settings
from attendance_bridge.bench.permissions import require_role


@frappe.whitelist()
def pairing_suggestions(pairing_name: str) -> dict[str, Any]:
	"""What the dialog of an approval begins with."""
	_may_let_in(pairing_name)
	return pairing.suggested(pairing_name)


@frappe.whitelist(methods=["POST"])
def approve(
	pairing_name: str, device: str | None = None, values: str | dict[str, Any] | None = None
) -> dict[str, str]:
	"""Let a terminal push: as a Device Configuration that is there, or as a new one with some values."""
	_may_let_in(pairing_name)
	given = frappe.parse_json(values)
	return {"device": pairing.approve(pairing_name, device, given if isinstance(given, dict) else {})}


@frappe.whitelist(methods=["POST"])
def refuse(pairing_name: str) -> None:
	"""Turn a terminal away."""
	_may_let_in(pairing_name)
	pairing.refuse(pairing_name)


@frappe.whitelist(methods=["POST"])
def open_pairing(minutes: int = 15) -> dict[str, Any]:
	"""Put unknown terminals on the list for a while."""
	_may_set()
	return {"until": push_settings.open_pairing(cint(minutes))}


@frappe.whitelist(methods=["POST"])
def close_pairing() -> None:
	"""Turn unknown terminals away from now on."""
	_may_set()
	push_settings.close_pairing()


@frappe.whitelist()
def address() -> dict[str, Any]:
	"""What is typed in on a terminal so that it calls this site."""
	_may_set()
	return push_address.of_site()


@frappe.whitelist(methods=["POST"])
def make_token(device: str) -> dict[str, Any]:
	"""A new token for a terminal, and the address with it: it is shown this one time."""
	_may_write(device)
	return push_address.make_token(device)


@frappe.whitelist(methods=["POST"])
def set_serial(device: str, serial: str) -> None:
	"""Say which terminal a Device Configuration is, where nobody can ask it."""
	_may_write(device)
	devices.say_serial(device, serial)


@frappe.whitelist()
def commands(device: str) -> list[str]:
	"""What a terminal can be asked to do."""
	frappe.get_doc(devices.DOCTYPE, device).check_permission("read")
	return list(push_commands.offered(frappe.db.get_value(devices.DOCTYPE, device, "push_dialect")))


@frappe.whitelist(methods=["POST"])
def send_command(device: str, command: str) -> dict[str, str]:
	"""Ask a terminal to do something at its next call."""
	_may_write(device)
	return {"command": push_commands.queue(device, command, frappe.session.user)}


def _may_write(device: str) -> None:
	frappe.get_doc(devices.DOCTYPE, device).check_permission("write")


def _may_set() -> None:
	require_role("System Manager")
	frappe.has_permission(push_settings.DOCTYPE, "write", throw=True)


def _may_let_in(pairing_name: str) -> None:
	"""Whoever may write Device Configurations decides who pushes.

	:raises frappe.PermissionError: also for a pairing that is not there.
	"""
	frappe.has_permission(devices.DOCTYPE, "write", throw=True)
	frappe.get_doc(pairing.DOCTYPE, pairing_name).check_permission("read")
