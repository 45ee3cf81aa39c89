"""The nightly count of relayed terminals: a wish, which the agent's heartbeats fulfil.

Once a night each is to say how many punches it holds. Where it says more than are here, it is read again and
asked once more; what is missing after that is unexplained (`bench.counting`). The wish stands on the Device
Configuration (`count_wish`) until then; an agent that cannot count leaves it there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

import frappe

from attendance_bridge import drivers
from attendance_bridge.bench import counting, devices, gaps, moments
from attendance_bridge.bench.agents import Agent
from attendance_bridge.bench.gaps import Count
from attendance_bridge.bench.sent_fields import parse_moment, spell_moment
from attendance_bridge.core.clock import EARLIEST_PLAUSIBLE_YEAR
from attendance_bridge.core.driver import Window
from attendance_bridge.core.relay import EDGE_CAMERA, CountReport

MOST_AT_ONCE = 5
"""Terminals that one agent is asked to count at the same time; the others wait their turn."""


def ask() -> None:
	"""Scheduled nightly: have every relayed terminal that its agent reads be counted. Commits."""
	rows = frappe.get_all(
		devices.DOCTYPE,
		filters={
			"enabled": 1,
			"edge_agent": ("is", "set"),
			"serial_number": ("is", "set"),
			"driver": ("!=", EDGE_CAMERA),
		},
		fields=["name", "driver", "time_zone", "serial_number", "records_on_device", "count_wish"],
		order_by="name",
	)
	for row in rows:
		if row.count_wish or not drivers.load(row.driver).spec.pulled:
			_only_show(row)
		if drivers.load(row.driver).spec.pulled:
			zone = moments.zone_of(row.name)
			_wish(row.name, gaps.last_days(moments.utc_now().astimezone(zone).date(), zone), again=False)


def open_for(agent: Agent) -> list[dict[str, Any]]:
	"""The counts that an agent is to make, as its heartbeat is answered. One statement."""
	rows = frappe.get_all(
		devices.DOCTYPE,
		filters={"edge_agent": agent.name, "enabled": 1, "count_wish": ("is", "set")},
		fields=["name", "count_wish"],
		order_by="name",
		limit_page_length=MOST_AT_ONCE,
	)
	return [{"name": row.name, **json.loads(row.count_wish)} for row in rows]


def take(state: Any, report: CountReport | None, *, all_here: bool) -> None:
	"""What a terminal has answered. Commits if it is the answer to the wish that stands.

	:param state: with `name`, `serial_number` and `count_wish`.
	:param all_here: no punch waits at the agent any more; before, nothing can be compared.
	"""
	if report is None or not state.count_wish or not all_here:
		return
	wish = json.loads(state.count_wish)
	if report.token != wish["token"]:
		return
	zone = moments.zone_of(state.name)
	counted = _compare(state.serial_number, [_window(each, zone) for each in wish["spans"]], report, zone)
	if wish["again"]:
		frappe.db.set_value(devices.DOCTYPE, state.name, "count_wish", None, update_modified=False)
		counting.explain(state.name, counted, report.read_again or 0)
		return
	counting.keep(state.name, counted)
	if counted.window is None:
		frappe.db.set_value(devices.DOCTYPE, state.name, "count_wish", None, update_modified=False)
	else:
		_wish(state.name, _spans(counted.window, zone), again=True)


def _compare(serial: str, spans: list[Window], report: CountReport, zone: tzinfo) -> Count:
	if report.spans:
		return gaps.compare_by_days(serial, spans, _as_long_as(spans, report.spans))
	there, here = report.total, gaps.held(serial)
	if not there or there <= here:
		return Count(there=there, here=here, window=None)
	start = gaps.midnight(date(EARLIEST_PLAUSIBLE_YEAR, 1, 1), zone)
	return Count(there=there, here=here, window=Window(start=start, end=spans[-1].end + timedelta(days=1)))


def _as_long_as(spans: Sequence[Window], there: Sequence[int | None]) -> list[int | None]:
	return [*there[: len(spans)], *[None] * (len(spans) - len(there))]


def _spans(window: Window, zone: tzinfo) -> list[Window]:
	"""A range in days, where it is not too long; else in one piece."""
	first, last = window.start.astimezone(zone).date(), window.end.astimezone(zone).date()
	days = [first + timedelta(days=number) for number in range((last - first).days)]
	if not days or len(days) > gaps.DAYS:
		return [window]
	midnights = [gaps.midnight(day, zone) for day in (*days, last)]
	return [Window(start=start, end=end) for start, end in pairwise(midnights)]


def _wish(device: str, spans: Sequence[Window], *, again: bool) -> None:
	wish = {
		"token": frappe.generate_hash(length=12),
		"spans": [{"start": spell_moment(each.start), "end": spell_moment(each.end)} for each in spans],
		"again": again,
	}
	frappe.db.set_value(devices.DOCTYPE, device, "count_wish", json.dumps(wish), update_modified=False)
	# Whoever asks for the next heartbeat is another process.
	frappe.db.commit()  # nosemgrep


def _window(span: dict[str, str], zone: tzinfo) -> Window:
	def there(name: str) -> datetime:
		return parse_moment(span[name]).astimezone(zone)

	return Window(start=there("start"), end=there("end"))


def _only_show(row: Any) -> None:
	"""Nobody answers: what its agent tells in passing, beside what is here. It may hold one punch twice."""
	if row.records_on_device and row.driver.startswith("zkteco_"):
		here = gaps.held(row.serial_number)
		counting.keep(row.name, Count(there=row.records_on_device, here=here, window=None))
