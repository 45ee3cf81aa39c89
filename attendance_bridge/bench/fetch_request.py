"""Fetch Check-in: a person's wish to read a terminal now, handed to the background."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.utils import getdate

from attendance_bridge.bench import background, devices, read_wishes

TRIGGER = "Fetch Check-in"
LONGEST_DAYS = 366


def window(from_date: str | None, to_date: str | None) -> tuple[datetime, datetime] | None:
	"""The range of wall time (naive) that a person means by two dates, the second included; None for none.

	:raises frappe.ValidationError: only one of them, in the wrong order, or too far apart.
	"""
	if not from_date and not to_date:
		return None
	if not from_date or not to_date:
		frappe.throw(_("Give both dates, or none to fetch what is new."))
	first, last = getdate(from_date), getdate(to_date)
	if last < first:
		frappe.throw(_("The first date must not lie after the second."))
	if (last - first).days > LONGEST_DAYS:
		frappe.throw(_("A range must not be longer than {0} days.").format(LONGEST_DAYS))
	return datetime.combine(first, time.min), datetime.combine(last + timedelta(days=1), time.min)


def queue(device: str, wanted: tuple[datetime, datetime] | None) -> dict[str, Any]:
	"""Put the reading of a terminal into the queue, unless it waits there or runs already.

	A terminal that an Edge Agent relays is read by that agent, which hears of it within a minute.

	:returns: `queued`, and `sync_log`, the name of the Device Sync Log that tells how it goes.
	:raises frappe.ValidationError: a range of a relayed terminal, or the camera of an agent.
	"""
	camera = devices.camera_words(device)
	if camera is not None:
		frappe.throw(camera, title=_("Nothing to Fetch"))
	if frappe.db.get_value("Device Configuration", device, "edge_agent"):
		if wanted:
			frappe.throw(
				_("{0} is relayed by an Edge Agent: only what is new can be fetched.").format(device)
			)
		wish = read_wishes.make(device, frappe.session.user)
		return {"queued": wish is not None, "sync_log": wish}
	if background.has_job(device):
		return {"queued": False, "sync_log": None}
	start, end = wanted or (None, None)
	log = frappe.get_doc(
		{
			"doctype": "Device Sync Log",
			"device": device,
			"trigger": TRIGGER,
			"requested_by": frappe.session.user,
			"status": "Queued",
			"window_start": start,
			"window_end": end,
		}
	).insert(ignore_permissions=True)
	background.queue_pull(device, TRIGGER, sync_log=log.name)
	return {"queued": True, "sync_log": log.name}
