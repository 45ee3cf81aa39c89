"""What terminals that call by themselves are asked to do: a queue, from which they fetch at their next call.

The texts are made by `zkteco_adms.commands` and by nothing else; none runs a command of an operating system.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe import _

from attendance_bridge.bench import clock_guard, devices, lasting, moments
from attendance_bridge.drivers.zkteco_adms import commands
from attendance_bridge.drivers.zkteco_adms.desk import Dialect, Order, Outcome

DOCTYPE = "Push Command"

MOST_OPEN = 20
"""Of one terminal."""
ANSWER_TIME = timedelta(minutes=2)
"""After it a command that was sent is sent again."""
ATTEMPTS = 3
FETCHED_WITHIN = timedelta(days=2)
"""A terminal that does not call is not restarted out of the blue days later."""
KEPT_DAYS = 90
SEND_AGAIN_DAYS = 14
"""How far back Send Again reaches."""


def _send_again(dialect: Dialect, wall: datetime) -> str:
	return commands.send_punches(dialect, wall - timedelta(days=SEND_AGAIN_DAYS), wall)


_TEXTS: dict[str, Callable[[Dialect, datetime], str]] = {
	"Info": lambda dialect, wall: commands.tell_of_yourself(dialect),
	"Check": lambda dialect, wall: commands.CHECK,
	"Send Again": _send_again,
	"Set Clock": commands.set_clock,
	"Reboot": lambda dialect, wall: commands.reboot(dialect),
}
"""By command: its text, for a dialect, at the wall time of the terminal."""

OFFERED = {
	Dialect.ATTENDANCE: ("Info", "Check", "Send Again", "Reboot"),
	Dialect.SECURITY: ("Info", "Send Again", "Set Clock", "Reboot"),
}


def offered(dialect: str | None) -> tuple[str, ...]:
	"""The commands that a terminal knows.

	:param dialect: the field `push_dialect`.
	"""
	return OFFERED[_dialect(dialect)]


def queue(device: str, command: str, user: str | None = None) -> str:
	"""Ask a terminal to do something at its next call; returns the name of the Push Command. Commits.

	The same that waits there already is not asked for twice. The caller answers for the permission.

	:raises frappe.ValidationError: it does not push, does not know this, or too much waits.
	:raises StoreError: it could not be written down.
	"""
	# The terminal calls meanwhile, and its row is written: behind the snapshot of whoever asks.
	return lasting.write(lambda: _queue(device, command, user))


def _queue(device: str, command: str, user: str | None) -> str:
	# Numbers of one terminal are given one at a time.
	row = frappe.db.get_value(
		devices.DOCTYPE, device, ("push", "push_dialect", "time_zone"), as_dict=True, for_update=True
	)
	if not row or not row.push:
		frappe.throw(
			_("{0} does not push by itself: there is no call that could be answered.").format(device)
		)
	if command not in offered(row.push_dialect):
		frappe.throw(_("{0} does not know this command.").format(device))
	waiting = frappe.get_all(
		DOCTYPE, {"device": device, "state": ("in", ("Queued", "Sent"))}, ["name", "command"]
	)
	for each in waiting:
		if each.command == command:
			return str(each.name)
	if len(waiting) >= MOST_OPEN:
		frappe.throw(_("{0} commands wait for {1} already.").format(len(waiting), device))
	wall = moments.utc_now().astimezone(moments.zone_of(device)).replace(tzinfo=None, microsecond=0)
	document = frappe.get_doc(
		{
			"doctype": DOCTYPE,
			"device": device,
			"command": command,
			"state": "Queued",
			"requested_by": user,
			"order_id": _next_id(device),
			"text": _TEXTS[command](_dialect(row.push_dialect), wall),
		}
	)
	return str(document.insert(ignore_permissions=True).name)


def due(device: str, limit: int) -> list[Order]:
	"""Take the commands that a terminal is to be given now, oldest first, and note them as sent. Commits.

	:raises StoreError: they could not be noted.
	"""
	if not frappe.db.exists(DOCTYPE, {"device": device, "state": ("in", ("Queued", "Sent"))}):
		return []
	return lasting.write(lambda: _take(device, limit))


def answered(device: str, outcomes: Sequence[Outcome]) -> None:
	"""Write down what became of commands; one that is not this terminal's is passed over. Commits.

	:raises StoreError: it could not be written down.
	"""
	lasting.write(lambda: [_answer(device, outcome) for outcome in outcomes])


def restarted(device: str) -> None:
	"""A terminal has shaken hands: some firmware gives no other answer to a restart. Commits.

	:raises StoreError: it could not be written down.
	"""
	under_way = {"device": device, "command": "Reboot", "state": "Sent"}
	if frappe.db.exists(DOCTYPE, under_way):
		done = {"state": "Done", "answered_at": moments.now()}
		lasting.write(lambda: frappe.db.set_value(DOCTYPE, under_way, done, update_modified=False))


def expire() -> None:
	"""Scheduled daily: what was never fetched, and what ended long ago. Does not commit."""
	now = moments.now()
	for state in ("Queued", "Sent"):
		frappe.db.set_value(
			DOCTYPE, {"state": state, "creation": ("<", now - FETCHED_WITHIN)}, "state", "Expired"
		)
	frappe.db.delete(DOCTYPE, {"state": ("!=", "Queued"), "creation": ("<", now - timedelta(days=KEPT_DAYS))})


def _take(device: str, limit: int) -> list[Order]:
	now = moments.now()
	rows = frappe.db.sql(
		"SELECT `name`, `order_id`, `text`, `state`, `attempts`, `sent_at`, `creation`"  # noqa: S608
		f" FROM `tab{DOCTYPE}` WHERE `device` = %s AND `state` IN ('Queued', 'Sent')"
		" ORDER BY `order_id` FOR UPDATE",
		device,
		as_dict=True,
	)
	orders: list[Order] = []
	for row in rows:
		if row.creation < now - FETCHED_WITHIN:
			_write(row.name, {"state": "Expired"})
		elif row.state == "Sent" and row.sent_at and row.sent_at > now - ANSWER_TIME:
			continue
		elif row.attempts >= ATTEMPTS:
			_write(row.name, {"state": "Failed", "answered_at": None})
		elif len(orders) < limit:
			_write(row.name, {"state": "Sent", "sent_at": now, "attempts": row.attempts + 1})
			orders.append(Order(id=row.order_id, text=row.text))
	return orders


def _answer(device: str, outcome: Outcome) -> None:
	row = frappe.db.get_value(
		DOCTYPE,
		{"device": device, "order_id": outcome.id, "state": ("not in", ("Queued",))},
		("name", "command", "state", "answered_at", "requested_by"),
		as_dict=True,
	)
	# An answer may come when nobody waits for it any more. What was not sent has none.
	if not row or (row.state == "Failed" and row.answered_at):
		return
	is_done = outcome.code >= 0
	_write(
		row.name,
		{
			"state": "Done" if is_done else "Failed",
			"answered_at": moments.now(),
			"return_code": max(-(2**31), min(outcome.code, 2**31 - 1)),
			"result": outcome.said[:1000] or commands.RETURN_CODES.get(outcome.code, ""),
		},
	)
	if is_done and row.command == "Set Clock" and row.state != "Done":
		clock_guard.note(
			device,
			"Corrected",
			clock_offset=frappe.db.get_value(devices.DOCTYPE, device, "clock_offset"),
			offset_after=0,
			requested_by=row.requested_by,
		)


def _write(name: str, values: dict[str, Any]) -> None:
	frappe.db.set_value(DOCTYPE, name, values, update_modified=False)


def _next_id(device: str) -> int:
	(latest,) = frappe.db.sql(f"SELECT MAX(`order_id`) FROM `tab{DOCTYPE}` WHERE `device` = %s", device)[0]  # noqa: S608
	return int(latest or 0) % (2**31 - 1) + 1


def _dialect(value: str | None) -> Dialect:
	return Dialect(value) if value else Dialect.ATTENDANCE
