"""Terminals that call by themselves and that nobody approved: the list on which they wait for a person.

Anybody on the network can call: the list is bounded, only open for a while, and nothing of what an unknown
terminal sends is kept but who it says it is.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import devices, lasting, moments, push_settings
from attendance_bridge.drivers.zkteco_adms.desk import Knock, Standing

DOCTYPE = "Device Pairing"
DRIVER = "zkteco_adms"
"""The driver of a terminal that only pushes."""

MOST_WAITING = 200
KEPT_WAITING = timedelta(days=7)
KEPT_DECIDED = timedelta(days=90)
"""How long after its last call a serial number stays on the list."""

_NOTED_EVERY = timedelta(minutes=1)

_STANDINGS = {"Waiting": Standing.WAITING, "Refused": Standing.REFUSED, "Approved": Standing.WAITING}
"""By state; one that was approved and calls here all the same has lost its right since, and waits again."""


def knock(knock: Knock) -> Standing:
	"""Put a serial number on the list, or say how it stands there. Commits.

	:raises StoreError: the list could not be written.
	"""
	held = frappe.db.get_value(DOCTYPE, knock.serial, ("state", "last_called", "serial_number"), as_dict=True)
	if held and held.serial_number != knock.serial:
		return (
			Standing.NOT_LISTED
		)  # the database takes it for another one's: it would wait in that one's place
	if held is None and not _may_be_listed(knock):
		return Standing.NOT_LISTED
	if _is_switched_off(knock.serial):
		return Standing.REFUSED
	now = moments.to_site(knock.at)
	is_noted = held is not None and held.last_called and now - held.last_called < _NOTED_EVERY
	if not is_noted or held.state == "Approved":
		lasting.write(lambda: _write(knock, held.state if held else None))
	return _STANDINGS[held.state] if held else Standing.WAITING


def approve(pairing: str, device: str | None, values: dict[str, Any]) -> str:
	"""Let a terminal push; returns the name of its Device Configuration. Commits.

	:param device: the Device Configuration that it is; None makes a new one.
	:param values: of a new one: `device_name`, `time_zone`, `device_role`, `company`, `branch`, `shifts` (a
		list of Shift Types).
	:raises frappe.ValidationError: that one is of another terminal, or of another family.
	:raises frappe.PermissionError: the user may not write, or make, a Device Configuration.
	:raises StoreError: it could not be written down.
	"""
	# It calls meanwhile, and what it is seen by is written: behind the snapshot of whoever decides.
	return lasting.write(lambda: _approve(pairing, device, values))


def refuse(pairing: str) -> None:
	"""Turn a terminal away; one that was approved may push no more. Commits.

	:raises StoreError: it could not be written down.
	"""
	lasting.write(lambda: _refuse(pairing))


def suggested(pairing: str) -> dict[str, Any]:
	"""What the dialog of an approval begins with: `device` that has this serial number, `others` that may be
	it (ZKTeco terminals never met), `time_zone`, `device_name`."""
	document = frappe.get_doc(DOCTYPE, pairing)
	others = frappe.get_all(
		devices.DOCTYPE,
		filters={"driver": ("like", "zkteco_%"), "serial_number": ("is", "not set")},
		pluck="name",
	)
	return {
		"device": frappe.db.get_value(devices.DOCTYPE, {"serial_number": document.serial_number}, "name"),
		"others": others,
		"time_zone": moments.site_zone().key,
		"device_name": f"{document.model or 'ZKTeco'} {document.serial_number}"[:140],
	}


def clean_up() -> None:
	"""Scheduled daily: forget who has not called for long. Does not commit."""
	now = moments.now()
	for states, kept in ((("Waiting",), KEPT_WAITING), (("Approved", "Refused"), KEPT_DECIDED)):
		frappe.db.delete(DOCTYPE, {"state": ("in", states), "last_called": ("<", now - kept)})


def _may_be_listed(knock: Knock) -> bool:
	if not push_settings.read().pairing_is_open(knock.at):
		return False
	return bool(frappe.db.count(DOCTYPE, {"state": "Waiting"}) < MOST_WAITING)


def _is_switched_off(serial: str) -> bool:
	return bool(frappe.db.exists(devices.DOCTYPE, {"serial_number": serial, "enabled": 0}))


def _write(knock: Knock, state: str | None) -> None:
	now, facts = moments.to_site(knock.at), knock.facts
	told = {
		"peer": knock.peer[:140],
		"dialect": knock.dialect.value,
		"model": facts.model[:140],
		"firmware": facts.firmware[:140],
		"mac": facts.mac[:140],
		"own_address": facts.address[:140],
	}
	values: dict[str, Any] = {name: value for name, value in told.items() if value}
	if state is None:
		# Two calls at once: the second finds the row of the first.
		frappe.db.sql(
			f"INSERT IGNORE INTO `tab{DOCTYPE}` (`name`, `serial_number`, `state`, `first_called`,"  # noqa: S608
			" `creation`, `modified`, `owner`, `modified_by`) VALUES (%s, %s, 'Waiting', %s, %s, %s, %s, %s)",
			(knock.serial, knock.serial, now, now, now, frappe.session.user, frappe.session.user),
		)
	elif state == "Approved":
		values["state"] = "Waiting"
	frappe.db.set_value(DOCTYPE, knock.serial, {**values, "last_called": now}, update_modified=False)
	frappe.db.sql(f"UPDATE `tab{DOCTYPE}` SET `knocks` = `knocks` + 1 WHERE `name` = %s", knock.serial)  # noqa: S608


def _approve(pairing: str, device: str | None, values: dict[str, Any]) -> str:
	document = frappe.get_doc(DOCTYPE, pairing)
	known = frappe.db.get_value(devices.DOCTYPE, {"serial_number": document.serial_number}, "name")
	name = _link(document, known or device) if known or device else _make(document, values)
	frappe.db.set_value(devices.DOCTYPE, name, {"push": 1, "push_dialect": document.dialect})
	_decide(document, "Approved", name)
	return name


def _refuse(pairing: str) -> None:
	document = frappe.get_doc(DOCTYPE, pairing)
	known = frappe.db.get_value(devices.DOCTYPE, {"serial_number": document.serial_number}, "name")
	if known:
		frappe.get_doc(devices.DOCTYPE, known).check_permission("write")
		frappe.db.set_value(devices.DOCTYPE, known, "push", 0)
	_decide(document, "Refused", known)


def _link(document: Any, device: str) -> str:
	configured = frappe.get_doc(devices.DOCTYPE, device)
	configured.check_permission("write")
	if not configured.driver.startswith("zkteco_"):
		frappe.throw(_("{0} is no ZKTeco terminal.").format(frappe.bold(device)))
	if configured.serial_number == document.serial_number:
		return str(configured.name)
	if configured.serial_number or not devices.learn_serial(configured.name, document.serial_number):
		frappe.throw(
			_("{0} is another terminal: its serial number is {1}.").format(
				frappe.bold(device), frappe.utils.escape_html(configured.serial_number or "?")
			)
		)
	return str(configured.name)


def _make(document: Any, values: dict[str, Any]) -> str:
	wanted = ("device_name", "time_zone", "device_role", "company", "branch")
	made = frappe.get_doc(
		{
			"doctype": devices.DOCTYPE,
			"driver": DRIVER,
			"serial_number": document.serial_number,
			"model": document.model,
			"firmware": document.firmware,
			"shifts": [{"shift_type": shift} for shift in values.get("shifts") or ()],
			**{name: values[name] for name in wanted if values.get(name)},
		}
	)
	return str(made.insert().name)


def _decide(document: Any, state: str, device: str | None) -> None:
	document.db_set(
		{
			"state": state,
			"device": device,
			"decided_by": frappe.session.user,
			"decided_at": moments.now(),
		}
	)
