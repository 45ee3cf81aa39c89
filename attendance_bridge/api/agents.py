"""What the Desk asks about Edge Agents. Each endpoint: permission, then one act."""

from __future__ import annotations

from typing import Any

import frappe
from frappe.utils import get_url

from attendance_bridge.bench import agents, scans


@frappe.whitelist(methods=["POST"])
def make_api_key(agent: str) -> dict[str, str]:
	"""A new key and secret for an agent, shown once; and the address under which it reaches this site."""
	frappe.only_for("System Manager")
	frappe.get_doc(agents.DOCTYPE, agent).check_permission("write")
	return {**agents.make_api_key(agent), "url": get_url()}


@frappe.whitelist(methods=["POST"])
def find_terminals(agent: str) -> None:
	"""Have an agent look for terminals in its network."""
	_may("write", agent)
	scans.want(agent)


@frappe.whitelist()
def found_terminals(agent: str) -> dict[str, Any]:
	"""What the last look has found, beside what is configured."""
	_may("read", agent)
	return scans.result(agent)


@frappe.whitelist(methods=["POST"])
def take_over_address(agent: str, serial: str) -> dict[str, str]:
	"""Give a terminal that has moved its new address."""
	_may("write", agent)
	return {"device": scans.take_over(agent, serial)}


def _may(right: str, agent: str) -> None:
	frappe.has_permission(agents.DOCTYPE, right, throw=True)
	frappe.get_doc(agents.DOCTYPE, agent).check_permission(right)
