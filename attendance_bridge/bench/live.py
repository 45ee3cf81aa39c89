"""The live board: today's punches as they come, who is in, terminals and alerts, as its reader may see them.

That there is something new is told in real time by `bench.news`; what it is, is asked for here. So one rule
decides who sees what, the one of Punch Log, whichever way the news came.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import frappe
from frappe.utils import cint

from attendance_bridge.bench import devices, figures, health, moments
from attendance_bridge.core import causes

MOST_PUNCHES = 60
MOST_PEOPLE = 300
MOST_DEVICES = 200


def board(at: datetime | None = None) -> dict[str, Any]:
	"""Everything on the board that the user may see; moments in site time.

	:returns: `now`, `today` (counts by status), `punches`, `present`, and where they may be read `devices`
		and `alerts`; else None stands in their place.
	"""
	at = at or moments.utc_now()
	return {
		"now": moments.to_site(at),
		"today": _today(at),
		"punches": _punches(at),
		"present": _present(at),
		"devices": _devices(at) if frappe.has_permission(devices.DOCTYPE, "read") else None,
		"alerts": _alerts() if frappe.has_permission("Attendance Bridge Alert", "read") else None,
	}


def _today(at: datetime) -> dict[str, int]:
	return dict(
		figures.select(
			"`status`, COUNT(*)",
			"`occurred_at` >= %s AND `occurred_at` < %s",
			_day(at),
			"GROUP BY `status`",
		)
	)


def _punches(at: datetime) -> list[dict[str, Any]]:
	columns = (
		"name",
		"occurred_at",
		"employee_name",
		"device_user_id",
		"device",
		"log_type",
		"status",
		"status_reason",
	)
	rows = figures.select(
		", ".join(f"`{column}`" for column in columns),
		"`occurred_at` >= %s AND `occurred_at` < %s",
		_day(at),
		# As the index runs, backwards: whoever's day has many punches waits for no sorting of them.
		f"ORDER BY `occurred_at` DESC, `name` DESC LIMIT {MOST_PUNCHES}",
	)
	return [dict(zip(columns, row, strict=True)) for row in rows]


def _present(at: datetime) -> dict[str, Any]:
	"""Whose last counted punch within a working day is an IN, the longest there first."""
	since = at - devices.rules().direction.working_day
	rows = figures.select(
		"MAX(`employee_name`), `employee`,"
		" MAX(CONCAT(DATE_FORMAT(`occurred_utc`, '%%Y%%m%%d%%H%%i%%s'), `log_type`))",
		"`occurred_at` >= %s AND `occurred_utc` >= %s AND `occurred_utc` <= %s"
		" AND `log_type` IN ('IN', 'OUT') AND `status` IN ('Checked in', 'Pending')",
		(moments.to_site(since - timedelta(hours=1)), moments.to_utc(since), moments.to_utc(at)),
		# Not by the name as well: it may have changed between IN and OUT.
		"GROUP BY `employee`",
	)
	there = sorted((last[:14], name or employee) for name, employee, last in rows if last.endswith("IN"))
	return {
		"count": len(there),
		"people": [
			{
				"name": name,
				"since": moments.to_site(_moment(last)),
			}
			for last, name in there[:MOST_PEOPLE]
		],
	}


def _moment(digits: str) -> datetime:
	return datetime.strptime(f"{digits}+0000", "%Y%m%d%H%M%S%z")


def _devices(at: datetime) -> list[dict[str, Any]]:
	names = frappe.get_list(
		devices.DOCTYPE, filters={"enabled": 1}, pluck="name", limit_page_length=MOST_DEVICES
	)
	rows, rules = health.rows(names), health.limits()
	facts = {each.name: each for each in health.device_facts(rows, rules, at)}
	return [
		{
			"name": row.name,
			"online": causes.is_online(facts[row.name], at),
			"last_contact": row.last_contact,
			"trouble": row.last_error or "",
			"clock_offset": round(row.clock_offset or 0.0),
			"records": cint(row.records_on_device),
			"capacity": cint(row.capacity),
		}
		for row in rows
	]


def _alerts() -> list[dict[str, Any]]:
	return frappe.get_list(
		"Attendance Bridge Alert",
		filters={"status": "Open"},
		fields=["name", "title", "what", "advice", "opened_at"],
		order_by="opened_at desc",
		limit_page_length=50,
	)


def _day(at: datetime) -> tuple[datetime, datetime]:
	midnight = datetime.combine(moments.to_site(at).date(), time.min)
	return midnight, midnight + timedelta(days=1)
