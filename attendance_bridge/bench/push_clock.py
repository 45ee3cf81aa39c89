"""Clocks of terminals that push: what their calls tell of them, and what is asked of them about it.

A 3.x terminal takes a command that sets its clock. One of 2.x takes the time from every answer, and its
offset to UTC only when it starts: all that can be asked of it is to start anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import cint

from attendance_bridge.bench import clock_guard, devices, lasting, moments, push_commands
from attendance_bridge.core import drift
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.drivers.zkteco_adms.desk import Dialect
from attendance_bridge.drivers.zkteco_adms.replies import time_zone_option

_COMMANDS = {Dialect.SECURITY: "Set Clock", Dialect.ATTENDANCE: "Reboot"}
_ASKED_EVERY = {"Set Clock": timedelta(hours=1), "Reboot": timedelta(days=7)}
"""Where it does not help, it is not asked for all day long."""
_TURN_IS_NEAR = timedelta(days=30)


def looked(device: str, dialect: Dialect, reading: ClockReading) -> None:
	"""A call has told how a terminal's clock goes: keep it, and correct it if the settings say so. Commits.

	:raises StoreError: it could not be written down.
	"""
	rules = devices.rules().clock
	lasting.write(lambda: clock_guard.was_read(device, reading, rules))
	if drift.is_right(reading, rules) or not clock_guard.corrects_by_itself():
		return
	if frappe.db.get_value(devices.DOCTYPE, device, "road") != "Push":
		return  # whoever reads it sets its clock, too
	if not drift.may_correct(reading.offset, rules, largest=clock_guard.largest_correction()):
		lasting.write(lambda: clock_guard.note_no_correction(device, reading))
		return
	command = _COMMANDS[dialect]
	if not _was_asked(device, command, moments.now() - _ASKED_EVERY[command]):
		push_commands.queue(device, command)


def restart_stale() -> None:
	"""Scheduled every minute: have terminals start anew that go by an offset to UTC that holds no more, once
	after each change of clocks. Commits."""
	if not _may_restart():
		return
	rows = frappe.get_all(
		devices.DOCTYPE,
		filters={
			"enabled": 1,
			"push": 1,
			"push_dialect": Dialect.ATTENDANCE.value,
			"push_told_at": ("is", "set"),
		},
		fields=["name", "time_zone", "push_offset_minutes", "push_told_at"],
		order_by=None,
	)
	now = moments.utc_now()
	for row in rows:
		if _is_stale(row, now) and not _was_asked(
			row.name, "Reboot", max(row.push_told_at, moments.to_site(now - _TURN_IS_NEAR))
		):
			push_commands.queue(row.name, "Reboot")


def forget(device: str) -> None:
	"""What was measured was measured by another zone's time. Does not commit."""
	frappe.db.set_value(devices.DOCTYPE, device, "push_clock", None, update_modified=False)


def _is_stale(row: Any, now: datetime) -> bool:
	offset, _text = time_zone_option(ZoneInfo(row.time_zone), now)
	return offset != cint(row.push_offset_minutes)


def _may_restart() -> bool:
	wanted = frappe.get_cached_doc(devices.SETTINGS).get("push_restart")
	# A site from before this setting has nothing in it.
	return wanted is None or bool(cint(wanted))


def _was_asked(device: str, command: str, since: datetime) -> bool:
	"""Whether a terminal was asked for something since a moment in site time, or is about to be."""
	wanted = {"device": device, "command": command}
	return bool(
		frappe.db.exists(push_commands.DOCTYPE, {**wanted, "creation": (">=", since)})
		or frappe.db.exists(push_commands.DOCTYPE, {**wanted, "state": ("in", ("Queued", "Sent"))})
	)
