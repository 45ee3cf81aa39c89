"""Download Diagnostics: a conversation with a terminal, redacted, in the format of the test recordings."""

from __future__ import annotations

import re
import secrets
import time
from datetime import timedelta
from typing import NoReturn

import frappe
from frappe import _

import attendance_bridge
from attendance_bridge.bench import conversation, devices, messages, moments
from attendance_bridge.core.driver import Window
from attendance_bridge.core.errors import BridgeError, ConfigError, DeviceError
from attendance_bridge.core.recording import (
	Recordable,
	Recording,
	Step,
	Tape,
	failure_of,
	interview,
	make_recording,
)

LONGEST_SECONDS = 45.0
"""No question is begun after this. A web worker has two minutes."""
DAYS = timedelta(days=7)
"""How far back is counted and read by time."""


def download(name: str) -> None:
	"""Talk to a terminal and hand the recording to the browser as a file.

	A terminal that fails is what diagnostics are for: the failure is in the file. Nothing on the terminal is
	changed, and no Punch Log is written.

	:raises frappe.ValidationError: it is being left alone, is talked to already, is the camera of an agent,
		or its configuration cannot be used.
	"""
	recording = record(name)
	frappe.response.update(
		type="download",
		filename=_filename(recording),
		filecontent=recording.to_text(),
		content_type="application/json",
		display_content_as="attachment",
	)


def record(name: str) -> Recording:
	"""The recording that `download` hands out; raises the same."""
	camera = devices.camera_words(name)
	if camera is not None:
		frappe.throw(camera)
	refused = devices.left_alone(name, at=moments.utc_now())
	if refused is not None:
		_refuse(name, refused)
	try:
		with conversation.alone_with(name):
			recording, failure = _record(name)
	except BridgeError as error:
		_refuse(name, error)
	if failure is not None:
		devices.failed(name, failure, at=moments.utc_now())
	return recording


def _record(name: str) -> tuple[Recording, DeviceError | None]:
	now = moments.utc_now().replace(microsecond=0)
	zone = moments.zone_of(name)
	window = Window(start=now.astimezone(zone) - DAYS, end=now.astimezone(zone))
	tape = Tape()
	with devices.open_driver(name, lambda: now) as driver:
		if not isinstance(driver, Recordable):
			frappe.throw(_("This kind of terminal cannot be recorded."))
		driver.overhear(tape)
		steps = _interview(driver, window, tape)
	recording = make_recording(
		driver,
		tape,
		steps,
		key=secrets.token_bytes(32),
		driver=frappe.db.get_value(devices.DOCTYPE, name, "driver"),
		app_version=attendance_bridge.__version__,
		source="terminal",
		recorded_at=now.isoformat(),
		time_zone=zone.key,
		window=(window.start.isoformat(), window.end.isoformat()),
	)
	return recording, failure_of(steps)


def _interview(driver: devices.Driver, window: Window, tape: Tape) -> list[Step]:
	end = time.monotonic() + LONGEST_SECONDS
	return interview(driver, window, tape.limits, stop=lambda: tape.is_full or time.monotonic() > end)


def _refuse(name: str, error: BridgeError) -> NoReturn:
	if isinstance(error, ConfigError):
		frappe.throw(messages.config_sentence(error, frappe.db.get_value(devices.DOCTYPE, name, "driver")))
	frappe.throw(messages.sentence(error, devices.label_of(name)))
	raise AssertionError("unreachable")


def _filename(recording: Recording) -> str:
	"""Driver, model and firmware: as recordings are called. None of them is anybody's."""
	device = recording.device
	parts = (recording.driver, device.get("model"), device.get("firmware"))
	words = [re.sub(r"[^A-Za-z0-9._-]+", "-", str(part)).strip("-.")[:40] for part in parts if part]
	return "_".join(words) + ".json"
