"""One look at a terminal while somebody waits for the answer: who are you, what is the time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import conversation, devices, messages, moments
from attendance_bridge.bench.terminal import Contact, meet
from attendance_bridge.core.driver import Capability, Driver
from attendance_bridge.core.errors import BridgeError, Code, ConfigError


def look(name: str) -> dict[str, Any]:
	"""Ask a terminal who it is and what time it has, and keep what it answers.

	:returns: `serial`, `model`, `firmware`, `records`, `capacity`, `clock_offset` (seconds, or None),
		`clock_is_right`; or, if it failed, `error` (a sentence) and `code`, with `is_camera` for the camera
		of an agent, which cannot be asked from here.
	"""
	return _in_contact(name, meet)


def set_clock(name: str) -> dict[str, Any]:
	"""Set a terminal's clock to the present moment, and look at it again; answers as `look` does."""

	def correct(device: str, driver: Driver) -> Contact:
		if Capability.SET_CLOCK not in driver.spec.capabilities:
			frappe.throw(_("The clock of this kind of terminal cannot be set from here."))
		read_until = devices.read_until(device)
		contact = meet(device, driver)  # whoever hangs there now: not another terminal's clock
		devices.set_clock(device, driver, contact.reading, read_until)
		return meet(device, driver)

	return _in_contact(name, correct)


def _in_contact(name: str, act: Callable[[str, Driver], Contact]) -> dict[str, Any]:
	camera = devices.camera_words(name)
	if camera is not None:
		return {"error": camera, "code": Code.NOT_SUPPORTED.value, "is_camera": True}
	refused = devices.left_alone(name, at=moments.utc_now())
	if refused is not None:
		return _refusal(refused, messages.sentence(refused, devices.label_of(name)))
	try:
		with conversation.alone_with(name), devices.open_driver(name) as driver:
			return _answer(act(name, driver))
	except ConfigError as error:
		driver_name = frappe.db.get_value(devices.DOCTYPE, name, "driver")
		return _refusal(error, messages.config_sentence(error, driver_name))
	except BridgeError as error:
		if "by_us" not in error.details:
			devices.failed(name, error, at=moments.utc_now())
		return _refusal(error, messages.sentence(error, devices.label_of(name)))


def _refusal(error: BridgeError, words: str) -> dict[str, Any]:
	return {"error": words, "code": error.code.value}


def _answer(contact: Contact) -> dict[str, Any]:
	info, reading = contact.info, contact.reading
	tolerance = devices.rules().clock.tolerance
	return {
		"serial": info.serial,
		"model": info.model,
		"firmware": info.firmware,
		"records": info.punches_held,
		"capacity": info.punch_capacity,
		"clock_offset": reading.offset.total_seconds() if reading else None,
		"clock_is_right": reading is None or abs(reading.offset) <= tolerance,
	}
