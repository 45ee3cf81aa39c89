"""How a terminal or an agent is: what its form shows, and the facts that alerts are made of.

Everything is computed on demand from what is kept beside the documents; nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import frappe
from frappe.utils import cint

from attendance_bridge.bench import alert_words, clock_guard, devices, moments, retiming
from attendance_bridge.core import causes
from attendance_bridge.core.causes import DeviceFacts, Filling, Finding, Limits
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.drift import cause_of

RATE_DAYS = 14
"""Over how many days the rate of filling is taken."""

_AGENT = "Edge Agent"
_FIELDS = (
	"name",
	"creation",
	"enabled",
	"edge_agent",
	"serial_number",
	"model",
	"firmware",
	"time_zone",
	"poll_interval",
	"last_contact",
	"last_pull",
	"watermark",
	"clock_offset",
	"clock_good_until",
	"clock_read_at",
	"records_on_device",
	"capacity",
	"gap",
	"last_error_code",
	"last_error",
	"failures",
	"open_until",
)
_AGENT_FIELDS = (
	"name",
	"enabled",
	"last_heartbeat",
	"version",
	"waiting",
	"oldest_waiting",
	"tells_disk",
	"disk_free",
)
_SPANS = {"day": timedelta(days=1), "week": timedelta(days=7)}


def limits() -> Limits:
	"""What Attendance Bridge Settings say; a limit that is empty is the usual one."""
	settings, usual = frappe.get_cached_doc(devices.SETTINGS), Limits()

	def number(fieldname: str, default: float) -> int:
		value = settings.get(fieldname)
		return round(default) if value is None else cint(value)

	return replace(
		usual,
		dark_after=timedelta(minutes=number("dark_after", 30)),
		clock_tolerance=devices.rules().clock.tolerance,
		full_percent=number("capacity_limit", usual.full_percent),
		full_within=timedelta(days=number("full_within", 14)),
		backlog=number("backlog_limit", usual.backlog),
		unmapped=number("unmapped_limit", usual.unmapped),
		held_after=timedelta(hours=number("held_after", 4)),
		agent_silent_after=timedelta(minutes=number("agent_silent_after", 15)),
	)


def of_device(name: str, at: datetime | None = None) -> dict[str, Any]:
	"""How one terminal is, as its form shows it; moments in site time.

	:param at: aware; now by default.
	:raises frappe.DoesNotExistError: there is none of this name.
	"""
	at = at or moments.utc_now()
	(row,) = rows([name]) or [None]
	if row is None:
		raise frappe.DoesNotExistError
	rules = limits()
	(facts,) = device_facts([row], rules, at, all_rates=True)
	findings = causes.of_device(facts, rules, at) if row.enabled else []
	return {
		"enabled": bool(row.enabled),
		"online": bool(row.enabled) and causes.is_online(facts, at),
		"last_contact": row.last_contact,
		"last_pull": row.last_pull,
		"watermark": row.watermark,
		"model": row.model or "",
		"firmware": row.firmware or "",
		"clock": _clock(row),
		"log": _log(facts.filling),
		"missing": facts.missing,
		"errors": errors(name, at),
		"circuit": _circuit(row, at),
		"retimable": retiming.count_by_clock(name),
		"findings": [told(finding) for finding in findings],
	}


def of_agent(name: str, at: datetime | None = None) -> dict[str, Any]:
	"""How one agent is, as its form shows it; moments in site time.

	:raises frappe.DoesNotExistError: there is none of this name.
	"""
	at = at or moments.utc_now()
	row = frappe.db.get_value(_AGENT, name, _AGENT_FIELDS, as_dict=True)
	if row is None:
		raise frappe.DoesNotExistError
	rules = limits()
	relayed = frappe.get_all(devices.DOCTYPE, {"edge_agent": name, "enabled": 1}, pluck="name")
	facts = device_facts(rows(relayed), rules, at)
	findings = agent_findings(row, rules, at) if row.enabled else []
	silent = any(finding.cause is causes.Cause.AGENT_GONE for finding in findings)
	return {
		"enabled": bool(row.enabled),
		"online": bool(row.enabled and row.last_heartbeat) and not silent,
		"last_heartbeat": row.last_heartbeat,
		"version": row.version or "",
		"waiting": cint(row.waiting),
		"oldest_waiting": row.oldest_waiting,
		"disk_free": cint(row.disk_free) if row.tells_disk else None,
		"devices": len(facts),
		"devices_online": sum(causes.is_online(each, at) for each in facts),
		"findings": [told(finding) for finding in findings],
	}


def rows(names: Collection[str] | None = None) -> list[Any]:
	"""What is known of terminals: of those of these names, or of all that are enabled."""
	filters: dict[str, Any] = {"enabled": 1} if names is None else {"name": ("in", sorted(names) or [""])}
	return frappe.get_all(devices.DOCTYPE, filters=filters, fields=list(_FIELDS), order_by="name")


def device_facts(
	found: Iterable[Any], rules: Limits, at: datetime, *, all_rates: bool = False
) -> list[DeviceFacts]:
	"""The same as facts; in a number of statements that does not depend on how many there are.

	:param found: of `rows`.
	:param all_rates: how fast a log fills is told of those that are half empty, too.
	"""
	held = list(found)
	gone = _gone_agents({row.edge_agent for row in held if row.edge_agent}, rules, at)
	rates = _rates([row.serial_number for row in held if all_rates or _may_fill(row, rules)], at)
	return [
		DeviceFacts(
			name=row.name,
			expected_since=moments.from_site(row.creation),
			last_contact=moments.from_site(row.last_contact) if row.last_contact else None,
			poll_every=timedelta(minutes=max(cint(row.poll_interval), 1)),
			error_code=row.last_error_code or "",
			clock_offset=timedelta(seconds=row.clock_offset or 0.0),
			filling=Filling(
				held=cint(row.records_on_device),
				capacity=cint(row.capacity),
				per_day=rates.get(row.serial_number, 0.0),
			),
			missing=cint(row.gap),
			behind=row.edge_agent in gone,
		)
		for row in held
	]


def agent_findings(row: Any, rules: Limits, at: datetime) -> list[Finding]:
	"""
	:param row: of an agent, of `agents`.
	"""
	last = moments.from_site(row.last_heartbeat) if row.last_heartbeat else None
	found = causes.of_agent(row.name, last, cint(row.waiting), rules, at)
	free = cint(row.disk_free) * 1_000_000 if row.tells_disk else None
	return found + causes.of_disk(free, rules, subject=row.name)


def agents() -> list[Any]:
	"""The agents that are enabled."""
	return frappe.get_all(_AGENT, filters={"enabled": 1}, fields=list(_AGENT_FIELDS), order_by="name")


def errors(device: str, at: datetime) -> dict[str, Any]:
	"""The error budget of a terminal: readings and failures of a day and of a week, and what failed most."""
	now = moments.to_site(at)
	found = frappe.db.sql(
		"SELECT `creation` > %s, `status`, `error_code`, COUNT(*) FROM `tabDevice Sync Log`"
		" WHERE `device` = %s AND `creation` > %s AND `status` IN ('Complete', 'Failed', 'Stopped')"
		" GROUP BY 1, 2, 3",
		(now - _SPANS["day"], device, now - _SPANS["week"]),
	)
	codes: Counter[str] = Counter()
	budget: dict[str, Any] = {span: {"readings": 0, "failures": 0} for span in _SPANS}
	for is_of_today, status, code, count in found:
		for span in ("day", "week") if is_of_today else ("week",):
			budget[span]["readings"] += count
			budget[span]["failures"] += count if status == "Failed" else 0
		if status == "Failed":
			codes[code or ""] += count
	return {**budget, "most": codes.most_common(1)[0][0] if codes else ""}


def told(finding: Finding) -> dict[str, str]:
	"""A finding in words."""
	return {
		"cause": finding.cause.value,
		"what": alert_words.sentence(finding),
		"advice": alert_words.advice(finding),
	}


def _gone_agents(names: Collection[str], rules: Limits, at: datetime) -> set[str]:
	if not names:
		return set()
	found = frappe.get_all(
		_AGENT, filters={"name": ("in", sorted(names))}, fields=list(_AGENT_FIELDS), order_by=None
	)
	return {
		row.name
		for row in found
		if row.enabled
		and any(each.cause is causes.Cause.AGENT_GONE for each in agent_findings(row, rules, at))
	}


def _may_fill(row: Any, rules: Limits) -> bool:
	"""Whether it matters how fast the log of a terminal fills."""
	return bool(row.capacity and row.serial_number) and (
		100 * cint(row.records_on_device) >= row.capacity * rules.full_percent // 2
	)


def _rates(serials: Collection[str], at: datetime) -> Mapping[str, float]:
	"""Punches a day of the last two weeks, or of the days since the first of them."""
	known = sorted({serial for serial in serials if serial})
	if not known:
		return {}
	now = moments.to_utc(at)
	found = frappe.db.sql(
		"SELECT `device_serial`, COUNT(*), MIN(`occurred_utc`) FROM `tabPunch Log`"
		" WHERE `device_serial` IN %s AND `occurred_utc` > %s AND `occurred_utc` <= %s"
		" GROUP BY `device_serial`",
		(known, now - timedelta(days=RATE_DAYS), now),
	)
	return {
		serial: count / max(1.0, (now - first).total_seconds() / 86_400) for serial, count, first in found
	}


def _clock(row: Any) -> dict[str, Any]:
	guarded, rules = clock_guard.clock(row.name), devices.rules().clock
	offset = guarded.state.offset or timedelta(0)
	at = guarded.read_at or moments.utc_now()
	cause = cause_of(ClockReading(taken_at=at, device_time=at + offset), guarded.zone, rules)
	return {
		"known": guarded.state.offset is not None,
		"read_at": row.clock_read_at,
		"offset": offset.total_seconds(),
		"right": cause is None,
		"looks_like": alert_words.clock_cause(cause) if cause else "",
		"good_until": row.clock_good_until,
	}


def _log(filling: Filling | None) -> dict[str, Any]:
	if filling is None:
		return {}
	days = filling.full_in_days
	return {
		"held": filling.held,
		"capacity": filling.capacity,
		"percent": filling.percent,
		"left": filling.left,
		"per_day": round(filling.per_day, 1),
		"full_in_days": None if days is None else int(min(days, 36_500)),
	}


def _circuit(row: Any, at: datetime) -> dict[str, Any]:
	"""Whether it is left alone after failures: closed, open until a moment, or half open for one try."""
	is_open = bool(row.open_until and row.open_until > moments.to_site(at))
	state = "open" if is_open else "half_open" if cint(row.failures) else "closed"
	return {
		"state": state,
		"until": row.open_until if is_open else None,
		"failures": cint(row.failures),
		"last_error": row.last_error or "",
	}
