"""Simulated terminals and the Device Configurations that lead to them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import frappe

from attendance_bridge.bench.tests import premises
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.cursor import START
from attendance_bridge.core.driver import Page
from attendance_bridge.core.punch import DeviceKey, Punch
from attendance_bridge.simulators.hikvision.state import PASSWORD, USER

ZONE = ZoneInfo("Asia/Dubai")


def hikvision(port: int, **values: Any) -> str:
	"""A Device Configuration for a simulated Hikvision terminal; returns its name."""
	return _configuration(
		f"{premises.MARK} Hikvision",
		driver="hikvision_isapi",
		port=port,
		**{"device_user": USER, "device_user_password": PASSWORD, **values},
	)


def zkteco(port: int, **values: Any) -> str:
	return _configuration(f"{premises.MARK} ZKTeco", driver="zkteco_tcp", port=port, **values)


def wish(device: str, wanted: tuple[datetime, datetime] | None = None, user: str | None = None) -> str:
	"""The Device Sync Log of somebody who pressed Fetch Check-in; `wanted` is a range of wall time."""
	start, end = wanted or (None, None)
	document = frappe.get_doc(
		{
			"doctype": "Device Sync Log",
			"device": device,
			"trigger": "Fetch Check-in",
			"requested_by": user,
			"window_start": start,
			"window_end": end,
		}
	)
	return document.insert(ignore_permissions=True).name


def silent(number: int = 1, **values: Any) -> str:
	"""One that is never asked: its punches are put into the log by hand."""
	name = _configuration(f"{premises.MARK} Silent {number}", driver="zkteco_tcp", port=4370, **values)
	frappe.db.set_value("Device Configuration", name, "serial_number", serial(number))
	return name


def serial(number: int = 1) -> str:
	"""The serial number of `silent(number)`."""
	return f"ABTSILENT{number}"


def punch(
	user_id: str, wall_time: datetime, *, number: int = 1, key: DeviceKey = DeviceKey.UNDEFINED
) -> Punch:
	"""A punch at `silent(number)`, by its wall clock."""
	return Punch(
		device_serial=serial(number),
		device_user_id=user_id,
		occurred_at=wall_time.replace(tzinfo=ZONE),
		device_key=key,
		raw=json.dumps({"employeeNoString": user_id, "name": f"Worker {user_id}"}),
	)


def page(*punches: Punch) -> Page:
	return Page(punches=punches, cursor=START, read=len(punches))


def right_clock(at: datetime) -> ClockReading:
	return ClockReading(taken_at=at, device_time=at)


def _configuration(name: str, **values: Any) -> str:
	shifts = values.pop("shifts", ())
	document = frappe.get_doc(
		{
			"doctype": "Device Configuration",
			"device_name": name,
			"device_ip": "127.0.0.1",
			"time_zone": ZONE.key,
			"shifts": [{"shift_type": shift} for shift in shifts],
			**values,
		}
	)
	return document.insert(ignore_permissions=True).name
