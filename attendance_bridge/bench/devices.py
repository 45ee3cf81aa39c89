"""Terminals of the site: from a Device Configuration to a driver, and what was last seen of each.

State is written with `frappe.db.set_value` beside the document: a contact is no edit, and a form that is
open meanwhile stays savable. Nothing here commits. Datetime fields of the doctype are in site time.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe import _
from frappe.utils import cint
from frappe.utils.password import get_decrypted_password, remove_encrypted_password

from attendance_bridge import drivers
from attendance_bridge.bench import clock_guard, driver_options, messages, moments, news
from attendance_bridge.core import config as configuration
from attendance_bridge.core.clock import ClockReading, ClockRules
from attendance_bridge.core.config import option
from attendance_bridge.core.debounce import DebounceRules
from attendance_bridge.core.direction import DeviceRole, DirectionRules
from attendance_bridge.core.driver import DeviceInfo, Driver, Now, read_clock
from attendance_bridge.core.errors import BridgeError, Code, ConfigError, DeviceError
from attendance_bridge.core.host import url_host
from attendance_bridge.core.lockout import PASSWORD_TROUBLES, left_alone_until
from attendance_bridge.core.projection import DevicePolicy, Rules
from attendance_bridge.core.pull import PullReport
from attendance_bridge.core.punch import MAX_SERIAL_LENGTH
from attendance_bridge.core.redact import Secret
from attendance_bridge.core.relay import EDGE_CAMERA
from attendance_bridge.core.retry import Backoff, Breaker

DOCTYPE = "Device Configuration"
SETTINGS = "Attendance Bridge Settings"

READ_FROM_HERE = {"enabled": 1, "edge_agent": ("is", "not set"), "road": ("!=", "Push")}
"""Filters of the terminals that this site reads itself."""

_PASSWORD_TROUBLES = frozenset(code.value for code in PASSWORD_TROUBLES)

_ROLES = {
	"As the key says": DeviceRole.KEY,
	"In": DeviceRole.IN,
	"Out": DeviceRole.OUT,
	"Both": DeviceRole.BOTH,
}

_BREAKER = Breaker(threshold=1, backoff=Backoff(base=timedelta(seconds=60)))
"""One failure, and a terminal is left alone for a minute at the most, then for two, up to a quarter hour."""

_LEARNT_NUMBERS = (
	"records_on_device",
	"capacity",
	"clock_offset",
	"clock_doubt_offset",
	"failures",
	"count_there",
	"count_here",
	"gap",
	"push",
)
_LEARNT_TEXTS = (
	"serial_number",
	"model",
	"firmware",
	"cursor",
	"watermark",
	"last_pull",
	"clock_good_until",
	"clock_read_at",
	"clock_doubt_from",
	"clock_doubt_until",
	"last_error_code",
	"last_error",
	"open_until",
	"counted_at",
	"gap_since",
	"count_wish",
	"listener_state",
	"listener_set_at",
	"listener_arrival",
	"listener_hash",
	"push_dialect",
	"push_peer",
	"push_trouble",
	"push_trouble_at",
	"push_since",
	"push_late_at",
	"push_stamps",
	"push_sightings",
	"push_clock",
	"push_told_at",
)
"""What is learnt of a terminal; before the first contact numbers are 0, texts and times NULL."""

_MAX_INT = 2**31 - 1
_MAX_TEXT = 140
_SERIAL = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
	"""What Device Configuration says of a terminal beside how to reach it. Named as its fields are."""

	time_zone: ZoneInfo = option(help="Time zone of the wall that the terminal hangs on")
	poll_interval: int = option(5, help="Minutes between two readings", minimum=1, maximum=1440)
	user_id_prefix: str = option("", help="Put before every id of this terminal", max_length=32)
	latitude: float = option(0.0, help="Degrees, north is positive", minimum=-90, maximum=90)
	longitude: float = option(0.0, help="Degrees, east is positive", minimum=-180, maximum=180)


def parse_place(values: Any) -> Place:
	"""Check and read those fields.

	:param values: the document, or a row with the fields of `Place`.
	:raises ConfigError: with the name of the field as its path.
	"""
	mapping = {
		name: values.get(name) for name in configuration.describe(Place) if values.get(name) not in (None, "")
	}
	return configuration.parse(Place, mapping, secrets=driver_options.no_secrets)


def password_of(device: Any) -> Secret | None:
	"""The secret of a Device Configuration, typed into the form just now or stored; None if there is none.

	:param device: the document.
	"""
	typed = device.get(driver_options.secret_field(device.driver))
	if typed and not device.is_dummy_password(typed):
		return Secret(typed)
	return stored_password(device.name, device.driver) if typed else None


def open_driver(name: str, now: Now = moments.utc_now) -> Driver:
	"""A conversation with a configured terminal; nothing is sent yet. The secret is read here and not before.

	:raises ConfigError: its configuration cannot be used (any more).
	:raises frappe.DoesNotExistError: there is no such Device Configuration.
	"""
	device = frappe.get_doc(DOCTYPE, name)
	if device.driver not in driver_options.names():
		raise ConfigError(Code.BAD_VALUE, path="driver", expected="a driver that is there")
	place = parse_place(device)
	config = driver_options.parse(device, stored_password(name, device.driver))
	driver_class: Any = drivers.load(device.driver)
	driver: Driver = driver_class(config, zone=place.time_zone, now=now)
	return driver


def label_of(name: str) -> str:
	"""How a terminal is called in a sentence: its name and its address."""
	host, port = frappe.db.get_value(DOCTYPE, name, ("device_ip", "port")) or ("", 0)
	if not host:
		return name
	return f"{name} ({url_host(host)}:{port})" if port else f"{name} ({host})"


def camera_words(name: str) -> str | None:
	"""Why nobody calls a terminal from here: it is the camera of an agent, or calls by itself. None for any
	other."""
	driver, agent = frappe.db.get_value(DOCTYPE, name, ("driver", "edge_agent")) or ("", "")
	if driver == EDGE_CAMERA:
		return messages.agents_camera(name, agent or "")
	return messages.pushes_by_itself(name) if driver and road_of(driver, agent) == "Push" else None


def road_of(driver: str, edge_agent: str | None) -> str:
	"""How punches of a terminal come, as the field `road` says it."""
	if edge_agent:
		return "Relayed"
	return "Direct" if drivers.load(driver).spec.pulled else "Push"


def rules() -> Rules:
	"""What Attendance Bridge Settings say."""
	return rules_of(frappe.get_cached_doc(SETTINGS))


def rules_of(settings: Any) -> Rules:
	"""The rules of a document of Attendance Bridge Settings, saved or not."""
	return Rules(
		clock=ClockRules(tolerance=timedelta(seconds=cint(settings.clock_tolerance))),
		debounce=DebounceRules(window=timedelta(seconds=cint(settings.debounce))),
		direction=DirectionRules(working_day=timedelta(hours=cint(settings.working_day_hours))),
	)


def policy_of(device: Any) -> DevicePolicy:
	"""What decisions about the punches of a terminal depend on.

	:param device: the document, or a row with `device_role` and `user_id_prefix`.
	"""
	return DevicePolicy(
		role=_ROLES.get(device.device_role, DeviceRole.KEY), user_id_prefix=device.user_id_prefix or ""
	)


def policies() -> dict[str, DevicePolicy]:
	"""By serial number, of all terminals that were seen; the disabled too, for their punches remain."""
	rows = frappe.get_all(
		DOCTYPE,
		filters={"serial_number": ("is", "set")},
		fields=["serial_number", "device_role", "user_id_prefix"],
	)
	return {row.serial_number: policy_of(row) for row in rows}


def positions() -> dict[str, tuple[float, float]]:
	"""Latitude and longitude in degrees of the terminals whose position is known, by name."""
	rows = frappe.get_all(DOCTYPE, fields=["name", "latitude", "longitude"], order_by=None)
	return {row.name: (row.latitude, row.longitude) for row in rows if row.latitude or row.longitude}


def due(at: datetime) -> list[str]:
	"""Terminals that this site reads itself and whose time has come, the longest unread first.

	:param at: aware.
	"""
	rows = frappe.get_all(
		DOCTYPE,
		filters=READ_FROM_HERE,
		fields=["name", "last_pull", "poll_interval", "open_until"],
		order_by="last_pull asc",
	)
	return [row.name for row in rows if _is_due(row, moments.to_site(at))]


def _is_due(row: Any, now: datetime) -> bool:
	if row.open_until and row.open_until > now:
		return False
	if not row.last_pull or row.last_pull > now:
		return True  # never read, or the clocks have been put back since
	return bool(row.last_pull + timedelta(minutes=max(cint(row.poll_interval), 1)) <= now)


def left_alone(name: str, *, at: datetime) -> DeviceError | None:
	"""Why a terminal must not be tried now, even at a person's wish: that would lengthen a lock-out.

	:param at: aware.
	"""
	state = frappe.db.get_value(DOCTYPE, name, ("open_until", "last_error_code"), as_dict=True)
	if not state or not state.open_until or state.last_error_code not in _PASSWORD_TROUBLES:
		return None
	seconds = (state.open_until - moments.to_site(at)).total_seconds()
	if seconds <= 0:
		return None
	return DeviceError(Code(state.last_error_code), retryable=True, unlock_seconds=round(seconds))


def check_serial(name: str, info: DeviceInfo) -> None:
	"""Refuse another terminal than the one that was met here first: a terminal is its serial number.

	:raises DeviceError: WRONG_DEVICE, with `configured_as` if it belongs to another Device Configuration.
	"""
	expected, host = frappe.db.get_value(DOCTYPE, name, ("serial_number", "device_ip"))
	if expected == info.serial:
		return
	if expected:
		raise DeviceError(Code.WRONG_DEVICE, host=host, found=info.serial, expected=expected)
	other = frappe.db.get_value(DOCTYPE, {"serial_number": info.serial}, "name")
	if other:
		raise DeviceError(Code.WRONG_DEVICE, host=host, found=info.serial, expected="", configured_as=other)


def learn_serial(name: str, serial: str) -> bool:
	"""Give a terminal that was never met its serial number; False if it has another one, or another has it.

	Where a new terminal was accepted nothing is learnt so: the former one's punches may still be under way.

	Commits: two requests that learn the same one do not wait for each other's end.
	"""
	if frappe.db.exists(DOCTYPE, {"serial_number": serial}):
		return False
	try:
		frappe.db.sql(
			"UPDATE `tabDevice Configuration` SET `serial_number` = %s"
			" WHERE `name` = %s AND COALESCE(`serial_number`, '') = '' AND `accepted_at` IS NULL",
			(serial, name),
		)
	except Exception as error:
		if not frappe.db.is_duplicate_entry(error):
			raise
		frappe.db.rollback()  # another request was faster, for another terminal
		return False
	frappe.db.commit()  # nosemgrep  # see above
	frappe.clear_document_cache(DOCTYPE, name)
	return bool(frappe.db.get_value(DOCTYPE, name, "serial_number") == serial)


def say_serial(name: str, serial: str) -> None:
	"""Give a terminal that nobody can ask the serial number that a person has read off it. Commits.

	:raises frappe.ValidationError: it is none, the terminal has one, or it is another's.
	"""
	told = serial.strip()
	if not _SERIAL.fullmatch(told):
		frappe.throw(_("A serial number has 1 to {0} letters and digits.").format(MAX_SERIAL_LENGTH))
	if not learn_serial(name, told):
		other = frappe.db.get_value(DOCTYPE, {"serial_number": told}, "name")
		if other != name:
			frappe.throw(
				_("{0} has this serial number.").format(frappe.bold(other))
				if other
				else _("{0} has a serial number already.").format(frappe.bold(name))
			)


def contacted(name: str, info: DeviceInfo, reading: ClockReading | None, *, at: datetime) -> None:
	"""The terminal answered: learn who it is, and close its breaker. Call `check_serial` before.

	:param at: aware.
	"""
	values: dict[str, Any] = {
		"last_contact": moments.to_site(at),
		"serial_number": info.serial,
		"model": info.model[:_MAX_TEXT],
		"firmware": info.firmware[:_MAX_TEXT],
		"records_on_device": _countable(info.punches_held),
		"capacity": _countable(info.punch_capacity),
		"failures": 0,
		"open_until": None,
		"last_error_code": None,
		"last_error": None,
	}
	if reading is not None:
		values |= clock_guard.looked(name, reading, rules().clock)
	_write(name, values)


def set_clock(name: str, driver: Driver, wrong: ClockReading | None, read_until: datetime | None) -> None:
	"""Set a terminal's clock to the present moment, look whether it took it, and put that on record.

	:param wrong: the look before.
	:param read_until: aware; what was made up to then is here already.
	:raises DeviceError: it could not be set.
	"""
	set_at = moments.utc_now()
	driver.set_clock(set_at)
	if wrong is None:
		return
	clock = rules().clock
	_write(name, clock_guard.was_set(name, wrong, set_at, read_until, clock))
	after = read_clock(driver)
	if after is not None:
		_write(name, clock_guard.looked(name, after, clock))
	clock_guard.note_correction(name, wrong, after)


def read_until(name: str) -> datetime | None:
	"""What was made at a terminal up to this moment (aware) is here, whatever its clock said; None if nobody
	knows. Ask before the next contact."""
	state = frappe.db.get_value(DOCTYPE, name, ("last_pull", "last_contact"), as_dict=True)
	# A pull ends a while after the contact with which it began, and its last page may lie in between.
	known = [moment for moment in (state.last_pull, state.last_contact) if moment] if state.last_pull else []
	return moments.from_site(min(known)) if known else None


def pulled(name: str, report: PullReport, *, at: datetime) -> None:
	"""A pull has ended; only one that read to the end counts as the last.

	:param at: aware.
	"""
	if report.complete:
		_write(name, {"last_pull": moments.to_site(at)})


def vouch(name: str, serial: str, watermark: datetime) -> None:
	"""Every punch of the terminal up to an aware moment is here; it never goes back.

	:param serial: of the terminal that was read; if another was accepted in its place meanwhile, nothing is
		vouched for.
	"""
	frappe.db.sql(
		"UPDATE `tabDevice Configuration` SET `watermark` = %s"
		" WHERE `name` = %s AND `serial_number` = %s AND (`watermark` IS NULL OR `watermark` < %s)",
		(moments.to_site(watermark), name, serial, moments.to_site(watermark)),
	)
	frappe.clear_document_cache(DOCTYPE, name)


def failed(name: str, error: BridgeError, *, at: datetime) -> Breaker:
	"""Something went wrong: keep it for people, and leave the terminal alone for a while.

	:param at: aware.
	:returns: the breaker after this failure.
	"""
	failures = cint(frappe.db.get_value(DOCTYPE, name, "failures"))
	breaker = Breaker(threshold=_BREAKER.threshold, backoff=_BREAKER.backoff, failures=failures)
	chance = random.random()  # noqa: S311  # spread, no secret
	breaker = breaker.failed(at, chance, left_alone_until(error, at, failures + 1, chance))
	_write(
		name,
		{
			"last_error_code": error.code.value,
			"last_error": messages.sentence(error, label_of(name)),
			"failures": min(breaker.failures, _MAX_INT),
			"open_until": moments.to_site(breaker.open_until) if breaker.open_until else None,
		},
	)
	return breaker


def forget_terminal(name: str) -> None:
	"""The next terminal that answers here is the one: another was hung up in the place of the first.

	Its log is read from the beginning, and attendance waits until that is done. Punches stay.
	"""
	forgotten = {**dict.fromkeys(_LEARNT_TEXTS), **dict.fromkeys(_LEARNT_NUMBERS, 0)}
	_write(name, {**forgotten, "accepted_at": moments.now()})
	remove_encrypted_password(DOCTYPE, name, "push_registration")


def stored_password(name: str, driver: str) -> Secret | None:
	"""The secret of a terminal, for its driver; None if it has none."""
	field = driver_options.secret_field(driver)
	stored = get_decrypted_password(DOCTYPE, name, fieldname=field, raise_exception=False)
	return Secret(stored) if stored else None


def _write(name: str, values: dict[str, Any]) -> None:
	news.tell(news.What.DEVICES)
	frappe.db.set_value(DOCTYPE, name, values, update_modified=False)


def _countable(number: int | None) -> int:
	# A terminal may claim anything; a column takes 31 bits. 0 stands for "does not say".
	return 0 if number is None else max(0, min(number, _MAX_INT))
