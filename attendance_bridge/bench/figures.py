"""The figures on the workspace. Each counts what its reader may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

import frappe
from frappe import _
from frappe.desk.reportview import build_match_conditions
from frappe.utils import cint

from attendance_bridge.bench import devices, health, moments
from attendance_bridge.core import causes
from attendance_bridge.core.projection import DevicePolicy

MOST_DAYS = 31

_CHECKED_IN, _HELD, _OTHER = "Checked in", "Needs a Hand", "Other"
_GROUPS = {
	"Checked in": _CHECKED_IN,
	"Unmapped": _HELD,
	"Quarantined": _HELD,
	"Rejected": _HELD,
	"Received": _OTHER,
	"Pending": _OTHER,
	"Duplicate": _OTHER,
	"Ignored": _OTHER,
}
"""What a day's bar is made of; each status of Punch Log counts to one."""


def devices_online(at: datetime | None = None) -> int:
	"""Terminals that are enabled, answered lately and had no trouble since, as their forms and the board say.

	:param at: aware; now by default.
	"""
	at = at or moments.utc_now()
	names = frappe.get_list(devices.DOCTYPE, filters={"enabled": 1}, pluck="name", limit_page_length=0)
	facts = health.device_facts(health.rows(names), health.limits(), at)
	return sum(causes.is_online(each, at) for each in facts)


def punches_today() -> int:
	start, end = _day(moments.now().date())
	return _count("`occurred_at` >= %s AND `occurred_at` < %s", (start, end))


def unmapped_ids() -> int:
	"""How many ids are nobody's, counted as on their page: with their terminals' prefixes."""
	found = select(
		"DISTINCT CAST(`device_user_id` AS BINARY), `device_serial`", "`status` = %s", ("Unmapped",)
	)
	return _distinct_ids(found)


def count_unmapped_ids() -> int:
	"""The same whoever asks: for alerts."""
	return _distinct_ids(
		frappe.db.sql(
			"SELECT DISTINCT CAST(`device_user_id` AS BINARY), `device_serial` FROM `tabPunch Log`"
			" WHERE `status` = 'Unmapped'"
		)
	)


def statuses_of(day: date) -> dict[str, int]:
	"""How many punches of a day, by the site's calendar, stand in which status; all of them."""
	return dict(
		frappe.db.sql(
			"SELECT `status`, COUNT(*) FROM `tabPunch Log` WHERE `occurred_at` >= %s AND `occurred_at` < %s"
			" GROUP BY `status`",
			_day(day),
		)
	)


def punches_by_day(days: int) -> dict[str, Any]:
	"""What became of the punches of the last days, today included, as a chart's data."""
	days = max(1, min(cint(days), MOST_DAYS))
	last = moments.now().date()
	first = last - timedelta(days=days - 1)
	counts: Counter[tuple[str, date]] = Counter()
	for day, status, count in select(
		"DATE(`occurred_at`), `status`, COUNT(*)",
		"`occurred_at` >= %s AND `occurred_at` < %s",
		(_day(first)[0], _day(last)[1]),
		"GROUP BY DATE(`occurred_at`), `status`",
	):
		counts[_GROUPS.get(status, _OTHER), day] += count
	all_days = [first + timedelta(days=number) for number in range(days)]
	return {
		"labels": [frappe.utils.format_date(day, "d MMM") for day in all_days],
		"datasets": [
			{"name": name, "values": [counts[group, day] for day in all_days]}
			for group, name in _group_names().items()
		],
	}


def checkins_by_hour(day: date) -> dict[str, Any]:
	"""Check-ins an hour of one day, IN and OUT, as a chart's data."""
	counts: Counter[tuple[str, int]] = Counter()
	start, end = _day(day)
	for hour, log_type, count in select(
		"HOUR(`occurred_at`), `log_type`, COUNT(*)",
		"`occurred_at` >= %s AND `occurred_at` < %s AND `status` = %s",
		(start, end, "Checked in"),
		"GROUP BY HOUR(`occurred_at`), `log_type`",
	):
		counts[log_type, hour] += count
	hours = range(24)
	return {
		"labels": [f"{hour:02d}" for hour in hours],
		"datasets": [
			{"name": _("IN"), "values": [counts["IN", hour] for hour in hours]},
			{"name": _("OUT"), "values": [counts["OUT", hour] for hour in hours]},
		],
	}


def _distinct_ids(found: Iterable[tuple[Any, ...]]) -> int:
	policies, standard = devices.policies(), DevicePolicy()
	return len(
		{policies.get(serial, standard).user_id_prefix.encode() + user_id for user_id, serial in found}
	)


def _group_names() -> dict[str, str]:
	return {
		_CHECKED_IN: _("Checked in"),
		_HELD: _("Needs a Hand"),
		_OTHER: _("Other"),
	}


def _day(day: date) -> tuple[datetime, datetime]:
	return datetime.combine(day, time.min), datetime.combine(day + timedelta(days=1), time.min)


def _count(condition: str, values: tuple[Any, ...]) -> int:
	((count,),) = select("COUNT(*)", condition, values)
	return int(count)


def select(columns: str, condition: str, values: tuple[Any, ...], rest: str = "") -> list[tuple[Any, ...]]:
	"""Punches that the user may see, whatever hides the others."""
	visible = build_match_conditions("Punch Log") or ""
	if visible:
		# Parameters are bound with percent signs.
		condition += f" AND ({visible})".replace("%", "%%")
	rows: list[tuple[Any, ...]] = frappe.db.sql(
		f"SELECT {columns} FROM `tabPunch Log` WHERE {condition} {rest}",  # noqa: S608
		values,
	)
	return rows
