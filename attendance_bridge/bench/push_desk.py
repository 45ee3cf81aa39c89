"""What the site keeps of terminals that push by themselves: a `zkteco_adms.desk.Desk` over doctypes.

It holds no state of its own: a worker process serves several sites, and a terminal is served by any of them.
Everything is written by statements of this module and those it calls, as whoever the request runs as: Guest.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils.password import get_decrypted_password, set_encrypted_password

from attendance_bridge.bench import (
	counting,
	devices,
	lasting,
	moments,
	networks,
	pairing,
	punch_rows,
	push_clock,
	push_commands,
	push_settings,
)
from attendance_bridge.bench.punch_log import PunchLog
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import Page
from attendance_bridge.core.errors import Code, StoreError
from attendance_bridge.core.ports import Accepted
from attendance_bridge.core.punch import Punch
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.watermark import PUSH_PROMPT
from attendance_bridge.drivers.zkteco_adms.desk import (
	Contact,
	Dialect,
	Facts,
	Gate,
	Knock,
	Order,
	Outcome,
	Registration,
	Stamp,
	Standing,
	Table,
	Terminal,
)

logger = logging.getLogger(__name__)

TWIN, ENCRYPTED = "twin", "encrypted"
"""Values of `push_trouble`."""

MOST_PUNCHES = 10_000
_NOTED_EVERY = timedelta(seconds=30)
_TROUBLE_LASTS = timedelta(hours=1)
_FARTHEST_ZONE = timedelta(hours=15)

_STATE = (
	"name",
	"driver",
	"serial_number",
	"time_zone",
	"push_token",
	"push_networks",
	"push_dialect",
	"push_sightings",
	"push_stamps",
	"push_peer",
	"push_since",
	"push_trouble",
	"push_trouble_at",
	"push_offset_minutes",
	"push_clock",
	"last_contact",
	"last_error_code",
	"model",
	"firmware",
	"records_on_device",
	"capacity",
)


class SiteDesk:
	"""See `zkteco_adms.desk.Desk`."""

	def gate(self) -> Gate:
		settings = push_settings.read()
		return Gate(token=push_settings.token() if settings.has_token else None, networks=settings.networks)

	def find(self, serial: str) -> Terminal | None:
		row = _row(serial)
		if row is None:
			return None
		dialect = Dialect(row.push_dialect) if row.push_dialect else None
		return Terminal(
			serial=serial,
			zone=ZoneInfo(row.time_zone),
			token=_secret(row.name, "push_token") if row.push_token else None,
			networks=networks.parse(row.push_networks),
			dialect=dialect,
			registration=_registration(row.name) if dialect is Dialect.SECURITY else None,
			sightings=row.push_sightings or "",
			clock=row.push_clock or "",
			in_contact_since=_in_contact_since(row),
		)

	def knock(self, knock: Knock) -> Standing:
		return pairing.knock(knock)

	def register(self, serial: str, registration: Registration) -> Registration:
		name = _name(serial)
		return lasting.write(lambda: _register(name, registration))

	def hold(
		self, terminal: Terminal, page: Page, reading: ClockReading | None, stamp: Stamp | None
	) -> Accepted:
		name = _name(terminal.serial)
		accepted = PunchLog(name, road="Push").accept(page, terminal.serial, reading)
		now = moments.utc_now()
		# One that cannot have been made yet tells as little of what is still to come.
		is_late = any(abs(now - punch.occurred_utc) > PUSH_PROMPT for punch in page.punches)
		if stamp is not None or is_late:
			lasting.write(lambda: _remember(name, stamp, is_late=is_late))
		return accepted

	def stamps(self, serial: str) -> Sequence[Stamp]:
		row = _row(serial)
		kept = _loaded(row.push_stamps) if row else {}
		return [Stamp(table=table, value=kept[table.value]) for table in Table if table.value in kept]

	def held_between(self, serial: str, first: datetime, last: datetime) -> Sequence[Punch]:
		columns = ", ".join(f"`{column}`" for column in punch_rows.PUNCH_COLUMNS)
		rows = frappe.db.sql(
			f"SELECT {columns} FROM `tabPunch Log` WHERE `device_serial` = %s"  # noqa: S608
			" AND `occurred_utc` BETWEEN %s AND %s AND `wall_time` BETWEEN %s AND %s"
			f" ORDER BY `creation` DESC, `occurred_utc` DESC, `name` LIMIT {MOST_PUNCHES}",
			(punch_rows.storable(serial), first - _FARTHEST_ZONE, last + _FARTHEST_ZONE, first, last),
			as_dict=True,
		)
		return [punch_rows.punch_of(row) for row in reversed(rows)]

	def orders(self, serial: str, limit: int) -> Sequence[Order]:
		return push_commands.due(_name(serial), limit)

	def outcomes(self, serial: str, outcomes: Sequence[Outcome]) -> None:
		push_commands.answered(_name(serial), outcomes)

	def note(self, terminal: Terminal, contact: Contact) -> None:
		row = _row(terminal.serial)
		if row is None:
			return  # somebody has switched it off meanwhile
		changed = _changes(row, contact)
		if changed:
			lasting.write(
				lambda: frappe.db.set_value(devices.DOCTYPE, row.name, changed, update_modified=False)
			)
		if contact.has_started:
			push_commands.restarted(row.name)
		if contact.reading is not None:
			push_clock.looked(row.name, contact.dialect, contact.reading)
		if contact.facts is not None and contact.facts.punches_held is not None:
			counting.told(row.name, terminal.serial, contact.facts.punches_held)
		if contact.dropped or contact.denied:
			logger.info("%s: not kept: %s, refused passages: %d", row.name, contact.dropped, contact.denied)


def _row(serial: str) -> Any:
	"""The state of an approved, enabled terminal; None for any other."""
	row = frappe.db.get_value(
		devices.DOCTYPE, {"serial_number": serial, "push": 1, "enabled": 1}, _STATE, as_dict=True
	)
	# The database takes serial numbers in upper and lower case for one.
	return row if row and row.serial_number == serial else None


def _in_contact_since(row: Any) -> datetime | None:
	if row.push_since is None or row.last_contact is None:
		return None
	is_there = abs(moments.now() - row.last_contact) <= PUSH_PROMPT
	return moments.from_site(row.push_since) if is_there else None


def _name(serial: str) -> str:
	row = _row(serial)
	if row is None:
		raise StoreError(Code.NOT_FOUND, retryable=True)
	return str(row.name)


def _secret(name: str, field: str) -> Secret | None:
	found = get_decrypted_password(devices.DOCTYPE, name, fieldname=field, raise_exception=False)
	return Secret(found) if found else None


def _registration(name: str) -> Registration | None:
	kept = _secret(name, "push_registration")
	facts = _loaded(kept.reveal()) if kept else {}
	if not facts.get("code"):
		return None
	return Registration(code=facts["code"], session=facts.get("session", ""))


def _register(name: str, registration: Registration) -> Registration:
	_lock(name)
	earlier = _registration(name)
	if earlier is not None:
		return earlier
	facts = {"code": registration.code, "session": registration.session}
	# Of no field: it goes, and is renamed, with the document, and no form ever shows it.
	set_encrypted_password(devices.DOCTYPE, name, json.dumps(facts), "push_registration")
	frappe.db.set_value(devices.DOCTYPE, name, "push_dialect", Dialect.SECURITY.value, update_modified=False)
	return registration


def _remember(name: str, stamp: Stamp | None, *, is_late: bool) -> None:
	values: dict[str, Any] = {"push_late_at": moments.now()} if is_late else {}
	if stamp is not None:
		kept = {**_loaded(_lock(name)), stamp.table.value: stamp.value}
		values["push_stamps"] = json.dumps(kept, sort_keys=True)
	frappe.db.set_value(devices.DOCTYPE, name, values, update_modified=False)


def _lock(name: str) -> str | None:
	"""The stamps of a terminal, whose row is nobody else's until the transaction ends."""
	held: str | None = frappe.db.get_value(devices.DOCTYPE, name, "push_stamps", for_update=True)
	return held


def _loaded(text: str | None) -> dict[str, str]:
	try:
		loaded = json.loads(text or "{}")
	except ValueError:
		return {}
	return {str(key): str(value) for key, value in loaded.items()} if isinstance(loaded, dict) else {}


def _changes(row: Any, contact: Contact) -> dict[str, Any]:
	"""The columns that a call changes; that it called at all only now and then."""
	now = moments.to_site(contact.at)
	wanted: dict[str, Any] = {
		"push_dialect": contact.dialect.value,
		"push_peer": contact.peer[:140],
		"push_sightings": contact.sightings or None,
		"push_clock": contact.clock or None,
		**_of_facts(contact.facts),
		**_of_trouble(row, contact, now),
	}
	if contact.has_more:
		# It may keep punches back while it goes on calling: nothing is vouched for meanwhile.
		wanted["push_late_at"] = now
	if contact.told_offset_minutes is not None:
		wanted |= {"push_offset_minutes": contact.told_offset_minutes, "push_told_at": now}
	if row.driver == pairing.DRIVER and row.last_error_code:
		wanted |= {"failures": 0, "open_until": None, "last_error_code": None, "last_error": None}
	changed = {name: value for name, value in wanted.items() if name not in row or row[name] != value}
	broke_off = row.last_contact is None or abs(now - row.last_contact) > PUSH_PROMPT
	if broke_off or row.push_since is None:
		changed["push_since"] = now
	if changed or broke_off or abs(now - row.last_contact) >= _NOTED_EVERY:
		changed["last_contact"] = now
	return changed


def _of_facts(facts: Facts | None) -> dict[str, Any]:
	if facts is None:
		return {}
	told = {
		"model": facts.model[:140],
		"firmware": facts.firmware[:140],
		"records_on_device": facts.punches_held,
		"capacity": facts.punch_capacity,
	}
	return {name: value for name, value in told.items() if value not in (None, "")}


def _of_trouble(row: Any, contact: Contact, now: datetime) -> dict[str, Any]:
	trouble = ENCRYPTED if contact.cannot_decrypt else TWIN if contact.is_twin else None
	if trouble is None:
		is_over = row.push_trouble and row.push_trouble_at and now - row.push_trouble_at > _TROUBLE_LASTS
		return {"push_trouble": None, "push_trouble_at": None} if is_over else {}
	if row.push_trouble == trouble and row.push_trouble_at and now - row.push_trouble_at < _TROUBLE_LASTS / 4:
		return {}
	return {"push_trouble": trouble, "push_trouble_at": now}
