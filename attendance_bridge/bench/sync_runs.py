"""Device Sync Log: one row a run, from the moment it is asked for to its end; and what its caller sees."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import frappe

from attendance_bridge.bench import background, devices, messages, moments
from attendance_bridge.core.driver import Page, Window
from attendance_bridge.core.errors import BridgeError
from attendance_bridge.core.pull import PullReport

PROGRESS_EVENT = "attendance_bridge_progress"
"""Realtime event, to the caller only: sync_log, device, stage, done, expected, new."""

TIME_TO_BEGIN = timedelta(minutes=5)
"""A run whose row is older has a job, or has lost it."""
INTERRUPTED = "interrupted"
"""Error code of a run whose job ended without a word."""
INTERNAL_ERROR = "internal_error"
"""Error code of a run that met a fault of ours; the Error Log has the rest."""

_COLUMN_OF_STATUS = {
	"Checked in": "checked_in",
	"Unmapped": "unmapped",
	"Quarantined": "quarantined",
	"Duplicate": "duplicates",
	"Rejected": "rejected",
}


class SyncRun:
	"""One run of one terminal. Every method that writes commits: people watch the row meanwhile."""

	def __init__(self, name: str, device: str, user: str | None) -> None:
		"""
		:param device: name of the Device Configuration.
		:param user: who gets the progress.
		"""
		self.name = name
		self.device = device
		self._user = user
		self._started_at = moments.now()
		self._first: datetime | None = None
		self._last: datetime | None = None

	@classmethod
	def begin(
		cls, device: str, trigger: str, *, window: Window | None = None, user: str | None = None
	) -> SyncRun:
		"""A run that nobody has announced.

		:param user: who asked for it; gets the progress.
		"""
		document = frappe.new_doc("Device Sync Log")
		document.update({"device": device, "trigger": trigger, "requested_by": user})
		if window is not None:
			# As people mean it: by the wall at the terminal.
			document.window_start = window.start.replace(tzinfo=None)
			document.window_end = window.end.replace(tzinfo=None)
		return cls.resume(document.insert(ignore_permissions=True).name)

	@classmethod
	def resume(cls, name: str) -> SyncRun:
		"""A run whose row was made when it was queued."""
		row = frappe.db.get_value("Device Sync Log", name, ("device", "requested_by"), as_dict=True)
		run = cls(name, row.device, row.requested_by)
		run._write(status="Running", started_at=run._started_at)
		return run

	def window(self, zone: ZoneInfo) -> Window | None:
		"""The range of device time that was asked for; None for what is new.

		:param zone: of the terminal.
		"""
		start, end = frappe.db.get_value("Device Sync Log", self.name, ("window_start", "window_end"))
		if not start or not end:
			return None
		return Window(start=start.replace(tzinfo=zone), end=end.replace(tzinfo=zone))

	def on_page(self, page: Page, report: PullReport) -> None:
		"""A page is held."""
		times = [punch.occurred_utc for punch in page.punches]
		if times:
			self._first = min([*times, *([self._first] if self._first else [])])
			self._last = max([*times, *([self._last] if self._last else [])])
		self._write(**_counts(report))
		self._publish("reading", report.read, page.expected, report.new)

	def on_settled(self, settled: int) -> None:
		"""A batch of punches has become check-ins."""
		self._publish("delivering", settled, None, 0)

	def was_stopped(self) -> bool:
		"""Whether somebody has asked for it to end, by putting the row to Stopped."""
		return frappe.db.get_value("Device Sync Log", self.name, "status") == "Stopped"

	def read(self, report: PullReport) -> None:
		"""The reading is over; what becomes of the punches follows."""
		self._write(**_counts(report))

	def records_read(self) -> int | None:
		"""How many punches and unreadable records it brought, known or not; None unless it ended well."""
		row = frappe.db.get_value(
			"Device Sync Log", self.name, ("status", "fetched", "unreadable"), as_dict=True
		)
		return int(row.fetched + row.unreadable) if row.status == "Complete" else None

	def end(self, error: BridgeError | None = None, *, stopped: bool = False) -> None:
		"""The run is over."""
		status = "Failed" if error else "Stopped" if stopped else "Complete"
		facts: dict[str, Any] = {"status": status, **self._outcomes()}
		if error is not None:
			facts["error_code"] = error.code.value
			facts["error"] = messages.sentence(error, devices.label_of(self.device))
		self._end(facts)

	def end_with_fault(self) -> None:
		"""The run met a fault of ours."""
		self._end({**_failed_by(INTERNAL_ERROR), **self._outcomes()})

	def _end(self, facts: dict[str, Any]) -> None:
		facts["duration"] = (moments.now() - self._started_at).total_seconds()
		self._write(**facts)
		self._publish("done", 0, None, 0, status=facts["status"])

	def _outcomes(self) -> dict[str, int]:
		"""What became of the punches that this run brought: it asks for their span of time only."""
		if self._first is None or self._last is None:
			return {}
		rows = frappe.db.sql(
			"SELECT `status`, COUNT(*) FROM `tabPunch Log` WHERE `device` = %s AND `creation` >= %s"
			" AND `device_serial` = (SELECT `serial_number` FROM `tabDevice Configuration` WHERE `name` = %s)"
			" AND `occurred_utc` BETWEEN %s AND %s GROUP BY `status`",
			(
				self.device,
				self._started_at,
				self.device,
				moments.to_utc(self._first),
				moments.to_utc(self._last),
			),
		)
		return outcome_counts(rows)

	def _write(self, **facts: Any) -> None:
		# Somebody may have stopped the run since it was read: what is written behind an older snapshot may be
		# refused.
		frappe.db.commit()  # nosemgrep
		frappe.db.set_value("Device Sync Log", self.name, facts)
		# People watch the run from other connections, and a run that dies must leave what it did.
		frappe.db.commit()  # nosemgrep

	def _publish(self, stage: str, done: int, expected: int | None, new: int, **facts: Any) -> None:
		if self._user:
			tell(self._user, self.name, self.device, stage, done=done, expected=expected, new=new, **facts)


def tell(user: str, sync_log: str, device: str, stage: str, **facts: Any) -> None:
	"""Tell who asked for a run how it goes.

	:param stage: reading, delivering or done.
	:param facts: `done`, `expected`, `new`; at the end `status`.
	"""
	message = {"sync_log": sync_log, "device": device, "stage": stage, **facts}
	frappe.publish_realtime(PROGRESS_EVENT, message, user=user)


def outcome_counts(rows: Iterable[tuple[str, int]]) -> dict[str, int]:
	"""The counting fields of a run, from statuses in Punch Log and their numbers."""
	return {_COLUMN_OF_STATUS[status]: count for status, count in rows if status in _COLUMN_OF_STATUS}


def close_abandoned() -> None:
	"""Put an end to runs whose job was killed or got lost. Does not commit."""
	unfinished = frappe.get_all(
		"Device Sync Log",
		filters={
			"status": ("in", ("Queued", "Running")),
			"trigger": ("!=", "Agent"),
			"creation": ("<", moments.now() - TIME_TO_BEGIN),
		},
		fields=["name", "device"],
	)
	lost = [row.name for row in unfinished if not background.has_job(row.device)]
	if lost:
		frappe.db.set_value("Device Sync Log", {"name": ("in", lost)}, _failed_by(INTERRUPTED))


def _failed_by(code: str) -> dict[str, str]:
	return {"status": "Failed", "error_code": code, "error": messages.run_end(code)}


def _counts(report: PullReport) -> dict[str, int]:
	return {
		"fetched": report.fetched,
		"new": report.new,
		"known": report.known,
		"unreadable": report.unreadable,
		"doubtful": report.doubtful,
	}
