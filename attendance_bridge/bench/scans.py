"""Finding terminals in the networks of an Edge Agent: a wish, which the agent's heartbeats fulfil.

Terminals are known by their serial numbers: one that answers at another address than its Device Configuration
says has moved, and a person takes the new address over.
"""

from __future__ import annotations

import json
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import devices, messages, moments, networks
from attendance_bridge.bench.agents import DOCTYPE, Agent
from attendance_bridge.bench.sent_fields import SentFields
from attendance_bridge.core.punch import MAX_SERIAL_LENGTH
from attendance_bridge.core.relay import MOST_FOUND, MOST_SCANNED_ADDRESSES
from attendance_bridge.drivers import names as driver_names

MOST_NETWORKS = 16
_MAX_INT = 2**31 - 1


def check(text: str | None) -> tuple[str, ...]:
	"""The ranges that an agent may be asked to look through, as CIDR.

	:raises frappe.ValidationError: one is none, or they are too many or too large.
	"""
	try:
		parsed = networks.parse(text)
	except ValueError as error:
		frappe.throw(messages.no_network(str(error)))
	if len(parsed) > MOST_NETWORKS or sum(each.num_addresses for each in parsed) > MOST_SCANNED_ADDRESSES:
		frappe.throw(
			_("At most {0} ranges with {1} addresses together can be looked through.").format(
				MOST_NETWORKS, MOST_SCANNED_ADDRESSES
			)
		)
	return tuple(str(each) for each in parsed)


def want(agent: str) -> None:
	"""Have an agent look through its ranges at its next heartbeat. The caller answers for the permission.

	:raises frappe.ValidationError: it has none.
	"""
	if not check(frappe.db.get_value(DOCTYPE, agent, "scan_networks")):
		frappe.throw(_("Enter the ranges in which {0} is to look for terminals, and save.").format(agent))
	_write(agent, {"scan_token": frappe.generate_hash(length=16), "scan_wanted_at": moments.now()})


def open_for(agent: Agent) -> dict[str, Any] | None:
	"""The scan that an agent is still to make, as its heartbeat is answered."""
	row = frappe.db.get_value(
		DOCTYPE, agent.name, ("scan_token", "scan_wanted_at", "scan_networks"), as_dict=True
	)
	if not row.scan_wanted_at or not row.scan_token:
		return None
	try:
		ranges = networks.parse(row.scan_networks)
	except ValueError:
		return None
	return {"token": row.scan_token, "networks": [str(each) for each in ranges]}


def take(agent: Agent, found: SentFields | None) -> None:
	"""Keep what a scan has found; that of another one than was asked for last is passed over.

	:raises BadFieldError: a field of the wrong type.
	"""
	if found is None:
		return
	token = found.text("token")
	terminals = [_terminal(each) for each in found.tables("terminals", MOST_FOUND)]
	result = {
		"addresses": found.whole("addresses", 0, _MAX_INT),
		"error": found.label("error"),
		"terminals": terminals,
	}
	state = frappe.db.get_value(DOCTYPE, agent.name, ("scan_token", "scan_wanted_at"), as_dict=True)
	if not token or token != state.scan_token or not state.scan_wanted_at:
		return
	_write(
		agent.name,
		{"scan_wanted_at": None, "scan_done_at": moments.now(), "scan_result": json.dumps(result)},
	)


def result(agent: str) -> dict[str, Any]:
	"""What the last scan has found, beside what is configured.

	:returns: `addresses`, `error` (words, or empty), `done_at`, and `terminals`, each with what it said of
		itself and `device` (the Device Configuration with its serial number), `configured` (the address
		there) and `state`: `new`, `known`, `moved`, `elsewhere` (of another agent, or of none), or `locked`:
		it says who it is only to who knows its key; its `device` is the one with its address.
	"""
	row = frappe.db.get_value(DOCTYPE, agent, ("scan_result", "scan_done_at"), as_dict=True)
	kept = json.loads(row.scan_result) if row.scan_result else {"terminals": [], "addresses": 0, "error": ""}
	serials = [each["serial"] for each in kept["terminals"] if each["serial"]] or [""]
	fields = ["name", "serial_number", "device_ip", "port", "edge_agent"]
	configured = {
		each.serial_number: each
		for each in frappe.get_all(devices.DOCTYPE, {"serial_number": ("in", serials)}, fields, order_by=None)
	}
	at_address = _at_addresses(agent, [each["host"] for each in kept["terminals"] if not each["serial"]])
	return {
		"done_at": row.scan_done_at,
		"addresses": kept["addresses"],
		"error": messages.told_by_agent(kept["error"], agent) if kept["error"] else "",
		"terminals": [
			_beside(agent, each, configured.get(each["serial"]))
			if each["serial"]
			else _locked(each, at_address.get((each["driver"], each["host"])))
			for each in kept["terminals"]
		],
	}


def _at_addresses(agent: str, hosts: list[str]) -> dict[tuple[str, str], str]:
	"""The Device Configurations of an agent at these addresses, by driver and address."""
	found = frappe.get_all(
		devices.DOCTYPE,
		{"edge_agent": agent, "device_ip": ("in", hosts or [""])},
		["name", "driver", "device_ip"],
		order_by=None,
	)
	return {(each.driver, each.device_ip): each.name for each in found if each.device_ip}


def take_over(agent: str, serial: str) -> str:
	"""Give a terminal that has moved its new address, as a person's edit of its Device Configuration; returns
	its name.

	:raises frappe.ValidationError: the last scan did not find it, or it is configured nowhere.
	:raises frappe.PermissionError: the user may not write it.
	"""
	known = (each for each in result(agent)["terminals"] if each["serial"])
	found = next((each for each in known if each["serial"] == serial), None)
	if found is None or not found["device"]:
		frappe.throw(_("The last look through the network did not find this terminal. Look again."))
	document = frappe.get_doc(devices.DOCTYPE, found["device"])
	document.check_permission("write")
	before = devices.label_of(document.name)
	document.device_ip = found["host"]
	document.port = found["port"]
	document.edge_agent = agent
	document.save()
	document.add_comment(
		"Info", _("Found at another address by {0}. It was {1} before.").format(agent, before)
	)
	return str(document.name)


def _terminal(fields: SentFields) -> dict[str, Any]:
	driver = fields.label("driver")
	return {
		"serial": fields.text("serial", MAX_SERIAL_LENGTH),
		"host": fields.label("host"),
		"port": fields.whole("port", 0, 65_535),
		"driver": driver if driver in driver_names() else "",
		"model": fields.label("model"),
		"firmware": fields.label("firmware"),
	}


def _locked(found: dict[str, Any], device: str | None) -> dict[str, Any]:
	configured = devices.label_of(device) if device else ""
	return {**found, "device": device, "configured": configured, "state": "locked"}


def _beside(agent: str, found: dict[str, Any], configured: Any) -> dict[str, Any]:
	if configured is None:
		return {**found, "device": None, "configured": "", "state": "new"}
	# 0 stands for the driver's usual port, which is the one that was looked at.
	same_port = configured.port in (0, None, found["port"])
	moved = configured.device_ip != found["host"] or not same_port
	state = "elsewhere" if configured.edge_agent != agent else "moved" if moved else "known"
	return {
		**found,
		"device": configured.name,
		"configured": devices.label_of(configured.name),
		"state": state,
	}


def _write(agent: str, values: dict[str, Any]) -> None:
	frappe.db.set_value(DOCTYPE, agent, values, update_modified=False)
