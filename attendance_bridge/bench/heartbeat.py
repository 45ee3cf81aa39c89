"""What an agent tells every minute: how it is, how its terminals are. All of it is bounded before it is kept.

Written beside the documents, like every state of a terminal (`bench.devices`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import frappe

from attendance_bridge.bench import (
	clock_guard,
	devices,
	listener,
	messages,
	moments,
	news,
	read_wishes,
	relayed,
	relayed_counts,
	relayed_runs,
	scans,
	shifts,
)
from attendance_bridge.bench.agents import DOCTYPE, Agent
from attendance_bridge.bench.sent_fields import SentFields, spell_moment
from attendance_bridge.core.clock import ClockReading
from attendance_bridge.core.driver import DeviceInfo
from attendance_bridge.core.errors import Code, DeviceError
from attendance_bridge.core.lockout import LONGEST_LOCK_OUT
from attendance_bridge.core.punch import MAX_SERIAL_LENGTH
from attendance_bridge.core.relay import (
	MOST_COUNTED_SPANS,
	CountReport,
	DeviceReport,
	DeviceTrouble,
	PostsReport,
)

MOST_DEVICES = 1000

_MAX_INT = 2**31 - 1
_MOST_BYTES = 1e15
_WORST_OFFSET_SECONDS = 100 * 366 * 86_400

_STATE = (
	"name",
	"enabled",
	"serial_number",
	"watermark",
	"read_wanted_at",
	"accepted_at",
	"listener_state",
	"listener_hash",
	"count_wish",
	"clock_read_at",
	"last_pull",
	"failures",
	"last_error_code",
)
_MOST_FIELDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
	"""A heartbeat, read. Moments are aware, and none but the end of a pause lies in the future."""

	version: str
	waiting: int
	oldest_waiting: datetime | None
	disk_free_mb: int | None
	revision: str
	"""Of what the site has told it; empty if it does not say."""
	devices: tuple[DeviceReport, ...]

	def vouched(self, report: DeviceReport) -> datetime | None:
		"""Up to when a terminal's punches are all here: not past one that waits at the agent."""
		if report.watermark is None or (self.waiting and self.oldest_waiting is None):
			return None
		return min(report.watermark, self.oldest_waiting) if self.oldest_waiting else report.watermark


def take(agent: Agent, body: Mapping[str, Any]) -> dict[str, Any]:
	"""Write a heartbeat down; returns the answer to it. Commits where shifts are moved.

	What is told about terminals that this agent does not relay is passed over.

	:raises BadFieldError: a field of the wrong type.
	"""
	now = moments.utc_now()
	told = _read(SentFields(body), now)
	_keep_agent(agent, told, now)
	revision = relayed.revision(agent)
	scans.take(agent, SentFields(body).table("found"))
	states = _states(agent)
	moved = False
	for each in told.devices:
		state = states.get(each.name)
		if state is None:
			continue
		report = _without_former_terminal(state, each)
		if _is_the_one(state, report):
			relayed_runs.note(state, report)
			_keep_device(report, state, by_our_zones=told.revision in ("", revision))
			_keep_posts(report, state)
			moved |= _vouch(report, state, told.vouched(report))
			read_wishes.answer(state, report, all_here=not told.waiting)
			relayed_counts.take(state, report.counted, all_here=not told.waiting)
	if moved:
		shifts.move_all()
	return {
		"now": spell_moment(now),
		"revision": revision,
		"read_now": read_wishes.open_for(agent),
		"scan": scans.open_for(agent),
		"counts": relayed_counts.open_for(agent),
	}


def _keep_agent(agent: Agent, told: _Told, now: datetime) -> None:
	values = {
		"last_heartbeat": moments.to_site(now),
		"version": told.version,
		"waiting": told.waiting,
		"oldest_waiting": _site_time(told.oldest_waiting),
		"tells_disk": told.disk_free_mb is not None,
		"disk_free": told.disk_free_mb or 0,
	}
	frappe.db.set_value(DOCTYPE, agent.name, values, update_modified=False)
	news.tell(news.What.DEVICES)


def _states(agent: Agent) -> dict[str, Any]:
	rows = frappe.get_all(
		devices.DOCTYPE, filters={"edge_agent": agent.name}, fields=list(_STATE), order_by=None
	)
	return {row.name: row for row in rows}


def _without_former_terminal(state: Any, report: DeviceReport) -> DeviceReport:
	"""A report with nothing of the terminal that hung here before another was accepted.

	The agent tells of the former one until it has met the new one.
	"""
	if state.serial_number or state.accepted_at is None:
		return report
	if report.last_contact is not None and report.last_contact > moments.from_site(state.accepted_at):
		return report
	trouble = report.trouble
	if trouble is not None and trouble.code == Code.WRONG_DEVICE.value:
		trouble = None  # it was not told yet that another one is welcome
	return DeviceReport(name=report.name, trouble=trouble)


def _is_the_one(state: Any, report: DeviceReport) -> bool:
	"""Whether it is the terminal that was met first; if not, that is all that is kept."""
	if report.serial in ("", state.serial_number):
		return True
	try:
		devices.check_serial(report.name, DeviceInfo(serial=report.serial))
	except DeviceError as error:
		_keep(report.name, _trouble_values(error, report.name))
		return False
	return True


def _keep_device(report: DeviceReport, state: Any, *, by_our_zones: bool) -> None:
	"""
	:param state: with `clock_read_at`.
	:param by_our_zones: the agent goes by the time zones that are configured now; a look at a clock by
		another zone's time tells nothing.
	"""
	learnt = {
		"serial_number": report.serial or None,
		"model": report.model or None,
		"firmware": report.firmware or None,
		"last_contact": _site_time(report.last_contact),
		"last_pull": _site_time(report.last_pull),
		"records_on_device": report.punches_held,
		"capacity": report.punch_capacity,
	}
	values = {name: value for name, value in learnt.items() if value is not None}
	if by_our_zones:
		values |= _look(report, state)
	trouble = report.trouble
	if trouble is None:
		values |= {"failures": 0, "open_until": None, "last_error_code": None, "last_error": None}
	else:
		values |= {
			"failures": trouble.failures,
			"open_until": _site_time(trouble.open_until),
			"last_error_code": trouble.code,
			"last_error": messages.told_by_agent(trouble.code, devices.label_of(report.name)),
		}
	_keep(report.name, values)


def _keep_posts(report: DeviceReport, state: Any) -> None:
	"""How it stands with a terminal that posts its events to its agent."""
	posts = report.posts
	if posts is not None:
		listener_state = _listener_state(posts)
		values = {
			"listener_state": listener_state,
			"listener_words": messages.posts_to_agent(posts, listener_state, devices.label_of(report.name)),
			"listener_set_at": _site_time(posts.told_at),
			"listener_arrival": _site_time(posts.arrived_at),
		}
		_keep(report.name, values)
	elif state.listener_state and not state.listener_hash:
		_keep(
			report.name,
			dict.fromkeys(("listener_state", "listener_words", "listener_set_at", "listener_arrival")),
		)


def _listener_state(posts: PostsReport) -> str:
	if posts.told_at is None:
		return ""
	if posts.code or posts.not_kept or posts.reaches_us is False:
		return listener.NOT_KEPT
	return {"delivers": listener.DELIVERS, "waiting": listener.SET_UP}.get(posts.delivery, listener.SILENT)


def _look(report: DeviceReport, state: Any) -> dict[str, Any]:
	"""The columns that a look at a clock changes; none if it was told before."""
	reading = _clock_reading(report)
	if reading is None or moments.to_site(reading.taken_at) == state.clock_read_at:
		return {}
	values = clock_guard.looked(report.name, reading, devices.rules().clock)
	# The agent may have seen it right since it told of it last.
	good_until, known = _site_time(report.clock_good_until), values.get("clock_good_until")
	if values and good_until is not None and (known is None or known < good_until):
		values["clock_good_until"] = good_until
	return values


def _clock_reading(report: DeviceReport) -> ClockReading | None:
	"""The look that an agent had at a terminal's clock at the last contact; None if it had none."""
	if report.last_contact is None or report.clock_offset_seconds is None:
		return None
	try:
		offset = timedelta(seconds=report.clock_offset_seconds)
		return ClockReading(taken_at=report.last_contact, device_time=report.last_contact + offset)
	except OverflowError:
		return None


def _trouble_values(error: DeviceError, name: str) -> dict[str, Any]:
	return {
		"last_error_code": error.code.value,
		"last_error": messages.sentence(error, devices.label_of(name)),
	}


def _vouch(report: DeviceReport, state: Any, until: datetime | None) -> bool:
	"""Returns whether the watermark moved."""
	if until is None or (state.watermark and moments.to_site(until) <= state.watermark):
		return False
	devices.vouch(state.name, report.serial or state.serial_number, until)
	return True


def _keep(name: str, values: dict[str, Any]) -> None:
	frappe.db.set_value(devices.DOCTYPE, name, values, update_modified=False)


def _read(fields: SentFields, now: datetime) -> _Told:
	return _Told(
		version=fields.label("version"),
		waiting=fields.whole("waiting", 0, _MAX_INT),
		oldest_waiting=_past(fields, "oldest_waiting", now),
		revision=fields.label("revision"),
		disk_free_mb=_megabytes(fields.number("disk_free_bytes", _MOST_BYTES)),
		devices=tuple(_report(each, now) for each in fields.tables("devices", MOST_DEVICES)),
	)


def _report(fields: SentFields, now: datetime) -> DeviceReport:
	error, posts, counted = fields.table("error"), fields.table("posts"), fields.table("counted")
	return DeviceReport(
		name=fields.text("name"),
		serial=fields.text("serial", MAX_SERIAL_LENGTH),
		model=fields.label("model"),
		firmware=fields.label("firmware"),
		last_contact=_past(fields, "last_contact", now),
		last_pull=_past(fields, "last_pull", now),
		watermark=_past(fields, "watermark", now),
		clock_offset_seconds=fields.number("clock_offset_seconds", _WORST_OFFSET_SECONDS),
		clock_good_until=_past(fields, "clock_good_until", now),
		punches_held=fields.whole("punches_held", 0, _MAX_INT),
		punch_capacity=fields.whole("punch_capacity", 0, _MAX_INT),
		trouble=_trouble(error, now) if error else None,
		posts=_posts(posts, now) if posts else None,
		counted=_counted(counted) if counted else None,
	)


def _counted(fields: SentFields) -> CountReport:
	def number(of: SentFields, name: str) -> int | None:
		found = of.whole(name, -1, _MAX_INT, -1)
		return None if found < 0 else found

	return CountReport(
		token=fields.label("token"),
		total=number(fields, "total"),
		spans=tuple(number(each, "there") for each in fields.tables("spans", MOST_COUNTED_SPANS)),
		read_again=number(fields, "read_again"),
	)


def _posts(fields: SentFields, now: datetime) -> PostsReport:
	return PostsReport(
		delivery=fields.label("delivery"),
		told_at=_past(fields, "told_at", now),
		arrived_at=_past(fields, "arrived_at", now),
		not_kept=fields.labels("not_kept", _MOST_FIELDS),
		reaches_us=fields.flag("reaches_us"),
		code=fields.label("code"),
	)


def _trouble(fields: SentFields, now: datetime) -> DeviceTrouble:
	open_until = fields.moment("open_until")
	return DeviceTrouble(
		code=fields.label("code"),
		at=_past(fields, "at", now) or now,
		failures=fields.whole("failures", 0, _MAX_INT),
		open_until=min(open_until, now + LONGEST_LOCK_OUT) if open_until else None,
	)


def _megabytes(size: float | None) -> int | None:
	return None if size is None else max(0, round(size / 1_000_000))


def _past(fields: SentFields, name: str, now: datetime) -> datetime | None:
	"""A moment that has been: a fast clock of an agent must not vouch for what has not happened yet."""
	moment = fields.moment(name)
	return min(moment, now) if moment else None


def _site_time(moment: datetime | None) -> datetime | None:
	return moments.to_site(moment) if moment else None
