"""Frappe's naive datetimes and moments that know where they are.

Every Datetime field of Frappe is naive and in the time zone of System Settings ("site time" here). Where that
zone turns its clocks back, an hour of site time means two moments; what must keep them apart stands in UTC
beside it.
"""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import frappe
from frappe.utils import get_datetime, get_system_timezone


def utc_now() -> datetime:
	"""The present moment, aware, in UTC: the clock that is handed to `core` and `drivers`."""
	return datetime.now(timezone.utc)


def now() -> datetime:
	"""The present moment as Frappe writes it: naive, in site time, with microseconds."""
	return to_site(utc_now())


def site_zone() -> ZoneInfo:
	"""The time zone of System Settings."""
	return ZoneInfo(get_system_timezone())


def zone_of(device: str) -> ZoneInfo:
	"""The time zone of the wall that a terminal hangs on.

	:param device: name of a Device Configuration.
	"""
	return ZoneInfo(frappe.db.get_value("Device Configuration", device, "time_zone"))


def to_site(moment: datetime, zone: ZoneInfo | None = None) -> datetime:
	"""Site time (naive) of an aware moment.

	:param zone: `site_zone()`, for those who have many moments to turn.
	"""
	return moment.astimezone(zone or site_zone()).replace(tzinfo=None, fold=0)


def from_site(value: datetime | str) -> datetime:
	"""The aware moment, in UTC, of a value in site time; of an hour that comes twice, its first pass."""
	naive = _naive(value)
	return naive.replace(tzinfo=site_zone(), fold=0).astimezone(timezone.utc)


def to_utc(moment: datetime) -> datetime:
	"""An aware moment as a naive one in UTC, for the columns that say so."""
	return moment.astimezone(timezone.utc).replace(tzinfo=None)


def from_utc(value: datetime | str) -> datetime:
	"""The inverse of `to_utc`: aware, in UTC."""
	return _naive(value).replace(tzinfo=timezone.utc)


def _naive(value: datetime | str) -> datetime:
	naive = value if isinstance(value, datetime) else get_datetime(value)
	if naive is None or naive.tzinfo is not None:
		raise ValueError("a naive datetime is needed")
	return naive
