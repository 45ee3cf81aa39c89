"""Edge Agents: who is calling, which terminals are theirs, and the user as whom one signs in."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import devices, punch_rows
from attendance_bridge.install import AGENT_ROLE

DOCTYPE = "Edge Agent"

AGENT_DOMAIN = "agents.invalid"
"""Of the addresses of users that are made for agents; nothing is ever sent there."""

SECRET_LENGTH = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
	"""The Edge Agent on whose behalf a request runs. Empty text: not restricted."""

	name: str
	company: str = ""
	branch: str = ""


def calling() -> Agent:
	"""The agent of the session's user; every endpoint for agents begins with it.

	:raises frappe.PermissionError: the user is not that of an enabled Edge Agent, or lacks the role.
	"""
	user = frappe.session.user
	row = None
	if user != "Guest" and AGENT_ROLE in frappe.get_roles(user):
		# Not named `company` there: Frappe would fill in the user's default by itself.
		fields = ("name", "people_company", "people_branch")
		row = frappe.db.get_value(DOCTYPE, {"user": user, "enabled": 1}, fields, as_dict=True)
	if row is None:
		frappe.throw(_("Only an enabled Edge Agent may call this."), frappe.PermissionError)
	return Agent(name=row.name, company=row.people_company or "", branch=row.people_branch or "")


class RelayedDevices:
	"""The terminals that one agent relays, found by serial number or by name."""

	def __init__(self, agent: Agent) -> None:
		rows = frappe.get_all(
			devices.DOCTYPE,
			filters={"edge_agent": agent.name},
			fields=["name", "serial_number"],
			order_by=None,
		)
		self._serial_of: dict[str, str] = {row.name: row.serial_number or "" for row in rows}
		self._name_of = {serial: name for name, serial in self._serial_of.items() if serial}
		self._former_name_of: dict[str, str | None] = {}

	def find(self, device: str, serial: str) -> str | None:
		"""The name of the terminal with this serial number; None if this agent relays none.

		One that has no serial number yet, and is meant by `device`, learns this one, unless it belongs to
		another Device Configuration. What a terminal recorded before another was put in its place is still
		taken. May commit.
		"""
		if serial in self._name_of:
			return self._name_of[serial]
		if (
			self._serial_of.get(device) == ""
			and serial.isprintable()
			and devices.learn_serial(device, serial)
		):
			self._serial_of[device] = serial
			self._name_of[serial] = device
			return device
		if serial not in self._former_name_of:
			self._former_name_of[serial] = self._find_former(serial)
		return self._former_name_of[serial]

	def _find_former(self, serial: str) -> str | None:
		"""Where a terminal hung whose punches have come from there before."""
		name: str | None = frappe.db.get_value(
			"Punch Log",
			{"device_serial": punch_rows.storable(serial), "device": ("in", list(self._serial_of) or [""])},
			"device",
			order_by=None,
		)
		return name


def make_user(agent_name: str) -> str:
	"""A user for an agent, with its role and no other right; returns its name.

	The caller answers for the permission.
	"""
	slug = re.sub(r"[^a-z0-9]+", "-", agent_name.lower()).strip("-")[:40] or frappe.generate_hash(length=8)
	email = f"agent-{slug}@{AGENT_DOMAIN}"
	if frappe.db.exists("User", email):
		email = f"agent-{slug}-{frappe.generate_hash(length=6)}@{AGENT_DOMAIN}"
	document = frappe.get_doc(
		{
			"doctype": "User",
			"email": email,
			"first_name": agent_name,
			"user_type": "Website User",
			"send_welcome_email": 0,
			"roles": [{"role": AGENT_ROLE}],
		}
	)
	return document.insert(ignore_permissions=True).name


def other_roles(user: str) -> list[str]:
	"""The roles that somebody gave to a user beside that of agents."""
	held: Iterable[Any] = frappe.get_all("Has Role", {"parenttype": "User", "parent": user}, pluck="role")
	return sorted(set(held) - {AGENT_ROLE})


def make_api_key(agent: str) -> dict[str, str]:
	"""A new secret for the user of an agent; the former one is worth nothing any more.

	:returns: `api_key` and `api_secret`; the secret is not to be had a second time.
	"""
	user = frappe.get_doc("User", frappe.db.get_value(DOCTYPE, agent, "user"))
	secret = frappe.generate_hash(length=SECRET_LENGTH)
	user.api_key = user.api_key or frappe.generate_hash(length=15)
	user.api_secret = secret
	user.save(ignore_permissions=True)
	return {"api_key": user.api_key, "api_secret": secret}
