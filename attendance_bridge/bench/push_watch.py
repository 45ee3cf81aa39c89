"""Terminals that only push: how far the site may vouch for them, and what it asks of them at night."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import devices, lasting, moments, push_commands
from attendance_bridge.core.watermark import watermark_of_push

_PUSHING = {"enabled": 1, "push": 1, "road": "Push"}


def vouch() -> bool:
	"""Move the watermarks of terminals that have earned it; returns whether one moved. Commits."""
	rows = frappe.get_all(
		devices.DOCTYPE,
		filters={**_PUSHING, "push_trouble": ("is", "not set"), "serial_number": ("is", "set")},
		fields=[
			"name",
			"serial_number",
			"watermark",
			"last_contact",
			"push_since",
			"push_late_at",
			"clock_offset",
		],
		order_by=None,
	)
	moved, tolerance = False, devices.rules().clock.tolerance
	for row in rows:
		if abs(timedelta(seconds=row.clock_offset or 0.0)) > tolerance:
			continue  # what it brings is held until somebody has looked
		earned = watermark_of_push(_aware(row.push_since), _aware(row.last_contact), _aware(row.push_late_at))
		if earned is not None and (row.watermark is None or moments.to_site(earned) > row.watermark):
			_vouch(row, earned)
			moved = True
	return moved


def _vouch(row: Any, earned: datetime) -> None:
	# It calls meanwhile, and its row is written.
	lasting.write(lambda: devices.vouch(row.name, row.serial_number, earned))


def ask_counts() -> None:
	"""Scheduled nightly: have every terminal that pushes say how much it holds. Commits."""
	for device in frappe.get_all(devices.DOCTYPE, filters=_PUSHING, pluck="name"):
		push_commands.queue(device, "Info")


def _aware(value: datetime | None) -> datetime | None:
	return moments.from_site(value) if value else None
